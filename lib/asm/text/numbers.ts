/**
 * Numbers in assembly, checked against the field that takes them.
 *
 * @module
 */
import type { Line, Token } from "./tokens.ts";

/** A number of up to 64 bits with its sign, and whether it was written in hexadecimal. */
interface WrittenNumber {
  readonly value: bigint;
  readonly hex: boolean;
  readonly token: Token;
}

/** Takes `5`, `-5`, `+5`, `0x5`. */
function written(line: Line, what: string): WrittenNumber {
  const token = line.next;
  const negative = line.accept("-") || (line.accept("+") && line.accept("-"));
  if (line.next.kind !== "number") throw line.expected(what);
  const { text } = line.take();
  const value = BigInt(text);
  return { value: negative ? -value : value, hex: /^0x/i.test(text), token };
}

/** Takes a number between two bounds. */
function bounded(line: Line, what: string, least: bigint, most: bigint): number {
  const { value, token } = written(line, what);
  if (value < least || value > most) throw line.error(`${what} ${value} is not in ${least} to ${most}`, token);
  return Number(value);
}

/** Takes an immediate: signed, or the bits of one in hexadecimal (the verifier prints those of comparisons so). */
export function imm32(line: Line): number {
  const { value, hex, token } = written(line, "a number");
  if (value >= -0x8000_0000n && value <= (hex ? 0xffff_ffffn : 0x7fff_ffffn)) return Number(BigInt.asIntN(32, value));
  throw line.error(`imm ${value} does not fit 32 bits: -2147483648 to 2147483647, or 0x0 to 0xffffffff`, token);
}

/** Takes an offset of memory, which has its sign always. */
export function offset16(line: Line): number {
  if (line.next.text !== "+" && line.next.text !== "-") throw line.expected("an offset with its sign");
  return bounded(line, "offset", -0x8000n, 0x7fffn);
}

/** Takes the distance of a jump. */
export function distance(line: Line, bits: 16 | 32): number {
  if (line.next.text !== "+" && line.next.text !== "-") throw line.expected("a distance with its sign");
  const most = bits === 16 ? 0x7fffn : 0x7fff_ffffn;
  return bounded(line, "distance", -most - 1n, most);
}

/** Takes a number without a sign. */
export function unsigned(line: Line, what: string, most: number): number {
  return bounded(line, what, 0n, BigInt(most));
}

/** Takes a signed 32-bit number. */
export function int32(line: Line, what: string): number {
  return bounded(line, what, -0x8000_0000n, 0x7fff_ffffn);
}

/** Takes a 64-bit number, signed or not; gives its bits. */
export function bits64(line: Line): bigint {
  const { value, token } = written(line, "a number");
  if (value < -(1n << 63n) || value >= 1n << 64n) throw line.error(`${value} does not fit 64 bits`, token);
  return BigInt.asUintN(64, value);
}

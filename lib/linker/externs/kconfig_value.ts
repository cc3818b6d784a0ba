/**
 * The value of an option of the kernel's configuration, from its text to the bytes that a program reads.
 *
 * @module
 */
import type { ByteOrder } from "../../bytes.ts";
import { LinkError } from "../../errors.ts";
import type { KconfigSlot } from "../../spec/mod.ts";

/** `enum libbpf_tristate` of libbpf's bpf_helpers.h. */
const TRISTATE: Readonly<Record<string, bigint>> = { n: 0n, y: 1n, m: 2n };
/** What C's strtoull() takes, base 0: decimal, `0x` and octal, with a sign. */
const NUMBER = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;
const MAX_U64 = (1n << 64n) - 1n;

/** Where a value goes, and in which order its bytes lie. */
export interface KconfigTarget {
  readonly slot: KconfigSlot;
  readonly data: Uint8Array;
  readonly order: ByteOrder;
}

/**
 * Writes the value that a text of the configuration gives an option: `y`, `m`, `n` (or any word that begins so, as with
 * libbpf), `"text"`, or a number. Text that is too long is cut.
 *
 * @param place Option and line, for errors.
 * @throws {LinkError} if it is not of the type that the object declares.
 */
export function writeOption(target: KconfigTarget, value: string, place: string): void {
  const letter = value[0]!;
  if (letter === "y" || letter === "n" || letter === "m") writeLetter(target, letter, place);
  else if (letter === '"') writeText(target, value, place);
  else writeNumber(target, parseNumber(value, place), place, ["int", "char"]);
}

/**
 * Writes a number that is no option's, but libbpf's own: `LINUX_KERNEL_VERSION`.
 *
 * @throws {LinkError} if it does not fit.
 */
export function writeFact(target: KconfigTarget, value: number, place: string): void {
  writeNumber(target, BigInt(value), place, ["int", "char", "bool"]);
}

function writeLetter(target: KconfigTarget, letter: "y" | "n" | "m", place: string): void {
  switch (target.slot.kind) {
    case "bool":
      if (letter === "m") throw new LinkError(`${place}: a module (m) is no bool: declare enum libbpf_tristate`);
      return write(target, letter === "y" ? 1n : 0n);
    case "tristate":
      return write(target, TRISTATE[letter]!);
    case "char":
      return write(target, BigInt(letter.charCodeAt(0)));
    default:
      throw new LinkError(
        `${place}: the value is ${letter}, the object declares ${
          words(target.slot)
        }: declare bool, enum libbpf_tristate or char`,
      );
  }
}

function writeText({ slot, data }: KconfigTarget, value: string, place: string): void {
  if (slot.kind !== "text") {
    throw new LinkError(`${place}: the value is text, the object declares ${words(slot)}: declare char[N]`);
  }
  if (value.length < 2 || !value.endsWith('"')) throw new LinkError(`${place}: ${value} has no closing quote`);
  const text = new TextEncoder().encode(value.slice(1, -1)).subarray(0, slot.size - 1);
  data.fill(0, slot.offset, slot.offset + slot.size);
  data.set(text, slot.offset);
}

/** Negative ones are what they are as 64 bits. */
function parseNumber(value: string, place: string): bigint {
  const match = NUMBER.exec(value);
  const [, sign = "", digits = ""] = match ?? [];
  const octal = /^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const magnitude = match === null ? -1n : BigInt(octal);
  if (magnitude < 0n || magnitude > MAX_U64) throw new LinkError(`${place}: ${value} is not a number of 64 bits`);
  return BigInt.asUintN(64, sign === "-" ? -magnitude : magnitude);
}

function writeNumber(
  target: KconfigTarget,
  value: bigint,
  place: string,
  kinds: readonly KconfigSlot["kind"][],
): void {
  const { slot } = target;
  if (!kinds.includes(slot.kind)) {
    throw new LinkError(`${place}: the value is a number, the object declares ${words(slot)}: declare an integer`);
  }
  const shown = slot.signed ? BigInt.asIntN(64, value) : value;
  if (slot.kind === "bool" && value > 1n) throw new LinkError(`${place}: ${shown} is not 0 or 1, as a bool is`);
  const bits = slot.size * 8;
  const fits = slot.signed
    ? BigInt.asIntN(bits, value) === BigInt.asIntN(64, value)
    : BigInt.asUintN(bits, value) === value;
  if (!fits) throw new LinkError(`${place}: ${shown} does not fit ${words(slot)}`);
  write(target, value);
}

function write({ slot, data, order }: KconfigTarget, value: bigint): void {
  const little = order === "little";
  for (let i = 0; i < slot.size; i++) {
    const shift = BigInt(8 * (little ? i : slot.size - 1 - i));
    data[slot.offset + i] = Number(value >> shift & 0xffn);
  }
}

function words({ kind, size, signed }: KconfigSlot): string {
  switch (kind) {
    case "bool":
      return "a bool";
    case "tristate":
      return "enum libbpf_tristate";
    case "char":
      return signed ? "a signed byte" : "an unsigned byte";
    case "int":
      return `${signed ? "a signed" : "an unsigned"} integer of ${size} bytes`;
    case "text":
      return `char[${size}]`;
  }
}

/**
 * Instructions without words.
 *
 * @module
 */
import type { Instruction } from "./instruction.ts";
import { OPCODE } from "./opcode.ts";

/** The bytes of an instruction as numbers, in little-endian order: `.8byte 0x95`; two of them for a 64-bit load. */
export function rawText({ opcode, dst, src, offset, imm, immHigh }: Instruction): string {
  const slot = (low: number, high: number) =>
    `0x${(BigInt(high >>> 0) << 32n | BigInt(low >>> 0)).toString(16).padStart(16, "0")}`;
  const first = slot(opcode | dst << 8 | src << 12 | offset << 16, imm);
  return `.8byte ${first}${opcode === OPCODE.LD_IMM64 ? `, ${slot(0, immHigh)}` : ""}`;
}

/**
 * Where the instruction begins that a byte of a function belongs to: a probe in the middle of one would break the program.
 *
 * @module
 */
import { EM } from "./constants.ts";
import { x86InstructionLength } from "./x86_instruction.ts";

/** Size of every instruction of AArch64 in bytes. */
const A64_BYTES = 4;

/**
 * Where the instruction begins that has the byte at `offset`; `undefined` if that cannot be told.
 *
 * @param machine `EM.*`: x86_64 and AArch64 are known.
 * @param code The function, from its first instruction.
 * @param offset Bytes from its start.
 */
export function instructionStart(machine: number, code: Uint8Array, offset: number): number | undefined {
  if (machine === EM.AARCH64) return offset - offset % A64_BYTES;
  if (machine !== EM.X86_64) return undefined;
  for (let at = 0; at <= offset;) {
    const length = x86InstructionLength(code, at);
    if (length === undefined) return undefined;
    if (at + length > offset) return at;
    at += length;
  }
  return undefined;
}

/**
 * Instructions to `struct bpf_insn[]` (linux/bpf.h).
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { LinkError } from "../errors.ts";
import { type Instruction, slotCount } from "./instruction.ts";
import { OPCODE } from "./opcode.ts";

/** Bytes of a slot. */
const SLOT = 8;

/**
 * The bytes of `insns`: 8 a slot. Metadata is left out, so references must have been resolved into fields before.
 *
 * @param order Byte order of the program: in big-endian ones the register fields are swapped too.
 * @throws {LinkError} if a field has a value that does not fit, such as a jump over more than 32767 slots.
 */
export function encode(insns: readonly Instruction[], order: ByteOrder): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(slotCount(insns) * SLOT);
  const view = new DataView(bytes.buffer);
  const little = order === "little";
  let at = 0;
  for (const insn of insns) {
    const { opcode, dst, src, offset, imm } = insn;
    if (
      (opcode & 0xff) !== opcode || (dst & 0xf) !== dst || (src & 0xf) !== src || offset << 16 >> 16 !== offset ||
      ((imm | 0) !== imm && imm >>> 0 !== imm)
    ) throw doesNotFit(insn, at / SLOT);
    const word = little
      ? opcode | dst << 8 | src << 12 | offset << 16
      : opcode << 24 | dst << 20 | src << 16 | offset & 0xffff;
    view.setInt32(at, word, little);
    view.setInt32(at + 4, imm, little);
    at += SLOT;
    if (opcode !== OPCODE.LD_IMM64) continue;
    const high = insn.immHigh;
    if ((high | 0) !== high && high >>> 0 !== high) throw doesNotFit(insn, at / SLOT - 1);
    // The rest of the second slot is zero already.
    view.setInt32(at + 4, high, little);
    at += SLOT;
  }
  return bytes;
}

function doesNotFit(insn: Instruction, slot: number): LinkError {
  const { opcode, dst, src, offset, imm, immHigh } = insn;
  return new LinkError(
    `instruction ${slot}: a field does not fit its bits: opcode ${opcode} (8), dst ${dst} (4), src ${src} (4), offset ${offset} (signed 16), imm ${imm} (32), immHigh ${immHigh} (32)`,
  );
}

/**
 * `struct bpf_insn[]` (linux/bpf.h) to instructions.
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { FormatError } from "../errors.ts";
import { Instruction } from "./instruction.ts";
import { BPF_REG_10, OPCODE } from "./opcode.ts";
import { UNUSUAL, whyInvalid } from "./validate.ts";

/** Options of {@linkcode decode}. */
export interface DecodeOptions {
  /** How errors call the bytes: `section ".text"`. */
  what?: string;
  /**
   * Takes unknown opcodes, registers and reserved fields as they are: for programs read back from a kernel, which rewrites
   * them to instructions of its own.
   */
  lenient?: boolean;
}

/** Bytes of a slot. */
const SLOT = 8;

/**
 * The instructions in `bytes`; {@linkcode encode} gives the same bytes again.
 *
 * @param bytes A whole number of 8-byte slots.
 * @param order Byte order of the program: in big-endian ones the register fields are swapped too.
 * @throws {FormatError} naming the byte offset of what is no instruction of Linux 6.18.
 */
export function decode(bytes: Uint8Array, order: ByteOrder, options: DecodeOptions = {}): Instruction[] {
  const what = options.what ?? "instructions";
  const lenient = options.lenient ?? false;
  if (bytes.length % SLOT !== 0) {
    throw new FormatError(`${what}: ${bytes.length} bytes are not a whole number of ${SLOT}-byte instructions`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = order === "little";
  const masks = UNUSUAL[order];
  const wordMasks = masks.word;
  const immMasks = masks.imm;
  const insns: Instruction[] = new Array(bytes.length / SLOT);
  let count = 0;
  // Two 32-bit reads a slot, and an array of the right size from the start: a read per field and push() cost half as much
  // again.
  for (let at = 0; at < bytes.length; at += SLOT) {
    const word = view.getInt32(at, little);
    const imm = view.getInt32(at + 4, little);
    let opcode: number;
    let dst: number;
    let src: number;
    let offset: number;
    if (little) {
      opcode = word & 0xff;
      dst = word >> 8 & 0xf;
      src = word >> 12 & 0xf;
      offset = word >> 16;
    } else {
      opcode = word >>> 24;
      dst = word >> 20 & 0xf;
      src = word >> 16 & 0xf;
      offset = word << 16 >> 16;
    }
    if (!lenient) {
      const unusual = (word | masks.look) & wordMasks[opcode]! | imm & immMasks[opcode]!;
      if (unusual !== 0 || dst > BPF_REG_10 || src > BPF_REG_10) {
        const why = whyInvalid(opcode, dst, src, offset, imm);
        if (why !== undefined) throw new FormatError(`${what}: offset ${at}: ${why}`);
      }
    }
    if (opcode !== OPCODE.LD_IMM64) {
      insns[count++] = new Instruction(opcode, dst, src, offset, imm);
      continue;
    }
    // The second slot has nothing but the high half, or else no Instruction could hold it: true for lenient readers too.
    const first = at;
    at += SLOT;
    if (at >= bytes.length) {
      throw new FormatError(`${what}: offset ${first}: a 64-bit load takes two slots, but the second is missing`);
    }
    if (view.getInt32(at, little) !== 0) {
      throw new FormatError(`${what}: offset ${at}: the second slot of a 64-bit load has more than an immediate`);
    }
    insns[count++] = new Instruction(opcode, dst, src, offset, imm, view.getInt32(at + 4, little));
  }
  insns.length = count;
  return insns;
}

/**
 * A stream of valid instructions, mixed about as clang mixes them. It only has to be decoded: no program loads it.
 *
 * @module
 */
import { type ByteOrder, encode, Instruction } from "../../../lib/asm/mod.ts";

const MIX: readonly Instruction[] = [
  Instruction.of({ opcode: 0xbf, dst: 6, src: 1 }),
  Instruction.of({ opcode: 0x79, dst: 1, src: 6, offset: 16 }),
  Instruction.of({ opcode: 0x7b, dst: 10, src: 1, offset: -8 }),
  Instruction.of({ opcode: 0x85, imm: 14 }),
  Instruction.of({ opcode: 0x77, imm: 32 }),
  Instruction.of({ opcode: 0x18, dst: 1, src: 1, imm: 7 }),
  Instruction.of({ opcode: 0xbf, dst: 2, src: 10 }),
  Instruction.of({ opcode: 0x07, dst: 2, imm: -8 }),
  Instruction.of({ opcode: 0x85, imm: 1 }),
  Instruction.of({ opcode: 0x15, offset: 5 }),
  Instruction.of({ opcode: 0xb4, dst: 1, imm: 1 }),
  Instruction.of({ opcode: 0xdb, src: 1, imm: 0 }),
  Instruction.of({ opcode: 0x63, src: 1, offset: 24 }),
  Instruction.of({ opcode: 0x61, dst: 2, src: 6, offset: 24 }),
  Instruction.of({ opcode: 0x2d, dst: 2, src: 1, offset: -6 }),
  Instruction.of({ opcode: 0x18, dst: 3, imm: 0x55667788, immHigh: 0x11223344 }),
  Instruction.of({ opcode: 0xaf, dst: 2, src: 3 }),
  Instruction.of({ opcode: 0x85, src: 1, imm: 40 }),
  Instruction.of({ opcode: 0xb7 }),
  Instruction.of({ opcode: 0x95 }),
];

/** The bytes of `count` instructions. */
export function assembleMix(count: number, order: ByteOrder): Uint8Array {
  return encode(Array.from({ length: count }, (_, i) => MIX[i % MIX.length]!), order);
}

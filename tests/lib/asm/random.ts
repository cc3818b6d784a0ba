/**
 * Random valid instructions: every opcode, field and variant that the instruction set has.
 *
 * @module
 */
import { Instruction } from "../../../lib/asm/mod.ts";
import { whyInvalid } from "../../../lib/asm/validate.ts";

/** Numbers that repeat for the same seed (mulberry32): 32 bits each. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let value = Math.imul(state ^ state >>> 15, 1 | state);
    value = value + Math.imul(value ^ value >>> 7, 61 | value) ^ value;
    return (value ^ value >>> 14) >>> 0;
  };
}

/** An opcode and the fields that it takes: which of them may be anything, and which only some values. */
interface Form {
  readonly opcode: number;
  readonly dst: boolean;
  readonly src: readonly number[];
  readonly offset: readonly number[] | "any";
  readonly imm: readonly number[] | "any";
}

const REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const OFFSETS = [1, 8, 16, 32, 77];
const IMMS = [16, 32, 64, 3, 0, 1, 0x40, 0x50, 0xa0, 0x41, 0x51, 0xa1, 0xe1, 0xf1, 0x100, 0x110];

/** Found by asking: so nothing that the decoder takes is left out. */
const FORMS: readonly Form[] = Array.from({ length: 256 }, (_, opcode) => opcode).flatMap((opcode) => {
  const valid = (dst: number, src: number, offset: number, imm: number) =>
    whyInvalid(opcode, dst, src, offset, imm) === undefined;
  const found: Form[] = [];
  for (const offset of [0, ...OFFSETS]) {
    for (const imm of IMMS) {
      if (!REGISTERS.some((src) => valid(0, src, offset, imm))) continue;
      const src = REGISTERS.filter((src) => valid(0, src, offset, imm));
      const first = src[0]!;
      const anyOffset = valid(0, first, 77, imm) && valid(0, first, -77, imm);
      const anyImm = valid(0, first, offset, 123_456) && valid(0, first, offset, -123_456);
      found.push({
        opcode,
        dst: valid(1, first, offset, imm),
        src,
        offset: anyOffset ? "any" : [offset],
        imm: anyImm ? "any" : [imm],
      });
    }
  }
  return [...new Map(found.map((form) => [JSON.stringify(form), form])).values()];
});

/** `count` instructions, the same for the same seed; 64-bit loads among them. */
export function randomInstructions(count: number, seed: number): Instruction[] {
  const next = randomNumbers(seed);
  const pick = <T>(values: readonly T[]): T => values[next() % values.length]!;
  return Array.from({ length: count }, () => {
    const form = pick(FORMS);
    const long = form.opcode === 0x18;
    return new Instruction(
      form.opcode,
      form.dst ? pick(REGISTERS) : 0,
      pick(form.src),
      form.offset === "any" ? next() << 16 >> 16 : pick(form.offset),
      form.imm === "any" ? next() | 0 : pick(form.imm),
      long ? next() | 0 : 0,
    );
  });
}

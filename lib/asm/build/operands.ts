/**
 * What instructions are built of: registers, places in memory, numbers that are checked against their field.
 *
 * @module
 */
import type { Label } from "../keys.ts";
import { BPF_SIZE } from "../opcode.ts";

/** A register that an instruction may read, by its number. */
export class Register<Number extends number = number> {
  /** 0 to 10. */
  readonly number: Number;

  /** @internal There are eleven, {@linkcode R0} to {@linkcode R10}. */
  constructor(number: Number) {
    this.number = number;
  }

  /** `r1`. */
  toString(): string {
    return `r${this.number}`;
  }
}

/** A register that an instruction may write: any but the frame pointer `R10`. */
export type WritableRegister = Register<0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9>;

/** Any register. */
export type AnyRegister = Register<0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10>;

/** Return value of functions and programs. */
export const R0: Register<0> = new Register(0);
/** First argument; lost in calls. */
export const R1: Register<1> = new Register(1);
/** Second argument; lost in calls. */
export const R2: Register<2> = new Register(2);
/** Third argument; lost in calls. */
export const R3: Register<3> = new Register(3);
/** Fourth argument; lost in calls. */
export const R4: Register<4> = new Register(4);
/** Fifth argument; lost in calls. */
export const R5: Register<5> = new Register(5);
/** Kept in calls. */
export const R6: Register<6> = new Register(6);
/** Kept in calls. */
export const R7: Register<7> = new Register(7);
/** Kept in calls. */
export const R8: Register<8> = new Register(8);
/** Kept in calls. */
export const R9: Register<9> = new Register(9);
/** Frame pointer: the end of the stack; only to be read. */
export const R10: Register<10> = new Register(10);

/** Second operand of arithmetic and comparisons: a register, or a signed 32-bit number. */
export type Operand = AnyRegister | number;

/** Where a jump goes: to a label, or some slots on from the next instruction. */
export type Target = Label | number;

/** Width of a memory access. */
export type Size = "u8" | "u16" | "u32" | "u64";

/** Width of a load that extends the sign. */
export type SignedSize = "s8" | "s16" | "s32";

/** `BPF_SIZE` of each width. */
export const SIZE_BITS: Readonly<Record<Size | SignedSize, number>> = {
  u8: BPF_SIZE.B,
  u16: BPF_SIZE.H,
  u32: BPF_SIZE.W,
  u64: BPF_SIZE.DW,
  s8: BPF_SIZE.B,
  s16: BPF_SIZE.H,
  s32: BPF_SIZE.W,
};

/** A place in memory: what a register points to, and some bytes on. */
export interface Place {
  /** Holds the address. */
  readonly base: AnyRegister;
  /** In bytes, signed 16 bits. */
  readonly offset: number;
}

/**
 * A place in memory.
 *
 * @param base The register that holds the address.
 * @param offset In bytes; default 0.
 * @throws {RangeError} if `offset` does not fit 16 bits.
 */
export function at(base: AnyRegister, offset: number = 0): Place {
  return { base, offset: off16(offset, `offset from ${base}`) };
}

/** `value`, if it is an integer between the bounds. */
function integer(value: number, least: number, most: number, what: string, field: string): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${what}: ${value} does not fit ${field}: ${least} to ${most}`);
}

/** @throws {RangeError} if `value` is no signed 16-bit integer. */
export function off16(value: number, what: string): number {
  return integer(value, -0x8000, 0x7fff, what, "off16");
}

/** @throws {RangeError} if `value` is no signed 32-bit integer. */
export function imm32(value: number, what: string): number {
  return integer(value, -0x8000_0000, 0x7fff_ffff, what, "imm32");
}

/** @throws {RangeError} if `value` is no unsigned integer of `bits` bits. */
export function unsigned(value: number, bits: 16 | 31, what: string): number {
  return integer(value, 0, 2 ** bits - 1, what, `${bits} bits without a sign`);
}

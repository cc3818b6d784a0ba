/**
 * Builders of arithmetic. A name without a width is the field's and the kernel's; 64 and 32 say how many bits count, and
 * that the upper half becomes 0 with 32.
 *
 * @module
 */
import { Instruction } from "../instruction.ts";
import { BPF_ALU_OP, BPF_CLASS, BPF_SRC, OPCODE } from "../opcode.ts";
import { ADDR_SPACE_CAST } from "../validate.ts";
import { type AnyRegister, imm32, type Operand, Register, unsigned, type WritableRegister } from "./operands.ts";

/** Builds `dst OP= operand`. @throws {RangeError} if a number does not fit 32 bits. */
export type ArithmeticBuilder = (dst: WritableRegister, operand: Operand) => Instruction;

function arithmetic(name: string, wide: boolean, op: number, offset = 0): ArithmeticBuilder {
  const opcode = (wide ? BPF_CLASS.ALU64 : BPF_CLASS.ALU) | op;
  return (dst, operand) =>
    operand instanceof Register
      ? Instruction.of({ opcode: opcode | BPF_SRC.X, dst: dst.number, src: operand.number, offset })
      : Instruction.of({ opcode, dst: dst.number, imm: imm32(operand, name), offset });
}

/** `dst = operand`, 64 bits; a number is extended with its sign. */
export const mov64: ArithmeticBuilder = arithmetic("mov64", true, BPF_ALU_OP.MOV);
/** `dst = operand`, 32 bits. */
export const mov32: ArithmeticBuilder = arithmetic("mov32", false, BPF_ALU_OP.MOV);
/** `dst += operand`, 64 bits. */
export const add64: ArithmeticBuilder = arithmetic("add64", true, BPF_ALU_OP.ADD);
/** `dst += operand`, 32 bits. */
export const add32: ArithmeticBuilder = arithmetic("add32", false, BPF_ALU_OP.ADD);
/** `dst -= operand`, 64 bits. */
export const sub64: ArithmeticBuilder = arithmetic("sub64", true, BPF_ALU_OP.SUB);
/** `dst -= operand`, 32 bits. */
export const sub32: ArithmeticBuilder = arithmetic("sub32", false, BPF_ALU_OP.SUB);
/** `dst *= operand`, 64 bits. */
export const mul64: ArithmeticBuilder = arithmetic("mul64", true, BPF_ALU_OP.MUL);
/** `dst *= operand`, 32 bits. */
export const mul32: ArithmeticBuilder = arithmetic("mul32", false, BPF_ALU_OP.MUL);
/** `dst /= operand` without signs, 64 bits; by 0 is 0. */
export const div64: ArithmeticBuilder = arithmetic("div64", true, BPF_ALU_OP.DIV);
/** `dst /= operand` without signs, 32 bits; by 0 is 0. */
export const div32: ArithmeticBuilder = arithmetic("div32", false, BPF_ALU_OP.DIV);
/** `dst s/= operand`, 64 bits (v4, Linux 6.6). */
export const sdiv64: ArithmeticBuilder = arithmetic("sdiv64", true, BPF_ALU_OP.DIV, 1);
/** `dst s/= operand`, 32 bits (v4, Linux 6.6). */
export const sdiv32: ArithmeticBuilder = arithmetic("sdiv32", false, BPF_ALU_OP.DIV, 1);
/** `dst %= operand` without signs, 64 bits; by 0 is `dst`. */
export const mod64: ArithmeticBuilder = arithmetic("mod64", true, BPF_ALU_OP.MOD);
/** `dst %= operand` without signs, 32 bits; by 0 is `dst`. */
export const mod32: ArithmeticBuilder = arithmetic("mod32", false, BPF_ALU_OP.MOD);
/** `dst s%= operand`, 64 bits (v4, Linux 6.6). */
export const smod64: ArithmeticBuilder = arithmetic("smod64", true, BPF_ALU_OP.MOD, 1);
/** `dst s%= operand`, 32 bits (v4, Linux 6.6). */
export const smod32: ArithmeticBuilder = arithmetic("smod32", false, BPF_ALU_OP.MOD, 1);
/** `dst |= operand`, 64 bits. */
export const or64: ArithmeticBuilder = arithmetic("or64", true, BPF_ALU_OP.OR);
/** `dst |= operand`, 32 bits. */
export const or32: ArithmeticBuilder = arithmetic("or32", false, BPF_ALU_OP.OR);
/** `dst &= operand`, 64 bits. */
export const and64: ArithmeticBuilder = arithmetic("and64", true, BPF_ALU_OP.AND);
/** `dst &= operand`, 32 bits. */
export const and32: ArithmeticBuilder = arithmetic("and32", false, BPF_ALU_OP.AND);
/** `dst ^= operand`, 64 bits. */
export const xor64: ArithmeticBuilder = arithmetic("xor64", true, BPF_ALU_OP.XOR);
/** `dst ^= operand`, 32 bits. */
export const xor32: ArithmeticBuilder = arithmetic("xor32", false, BPF_ALU_OP.XOR);
/** `dst <<= operand`, 64 bits. */
export const lsh64: ArithmeticBuilder = arithmetic("lsh64", true, BPF_ALU_OP.LSH);
/** `dst <<= operand`, 32 bits. */
export const lsh32: ArithmeticBuilder = arithmetic("lsh32", false, BPF_ALU_OP.LSH);
/** `dst >>= operand`, 64 bits, zeros come in. */
export const rsh64: ArithmeticBuilder = arithmetic("rsh64", true, BPF_ALU_OP.RSH);
/** `dst >>= operand`, 32 bits, zeros come in. */
export const rsh32: ArithmeticBuilder = arithmetic("rsh32", false, BPF_ALU_OP.RSH);
/** `dst s>>= operand`, 64 bits, the sign comes in. */
export const arsh64: ArithmeticBuilder = arithmetic("arsh64", true, BPF_ALU_OP.ARSH);
/** `dst s>>= operand`, 32 bits, the sign comes in. */
export const arsh32: ArithmeticBuilder = arithmetic("arsh32", false, BPF_ALU_OP.ARSH);

/** `dst = -dst`, 64 bits. */
export function neg64(dst: WritableRegister): Instruction {
  return Instruction.of({ opcode: BPF_CLASS.ALU64 | BPF_ALU_OP.NEG, dst: dst.number });
}

/** `dst = -dst`, 32 bits. */
export function neg32(dst: WritableRegister): Instruction {
  return Instruction.of({ opcode: BPF_CLASS.ALU | BPF_ALU_OP.NEG, dst: dst.number });
}

/** `dst = (sBITS)src`: the low bits with their sign, to 64 bits (v4, Linux 6.6). */
export function movsx64(dst: WritableRegister, src: AnyRegister, bits: 8 | 16 | 32): Instruction {
  return Instruction.of({ opcode: OPCODE.MOV64_X, dst: dst.number, src: src.number, offset: bits });
}

/** `dst = (sBITS)src`: the low bits with their sign, to 32 bits (v4, Linux 6.6). */
export function movsx32(dst: WritableRegister, src: AnyRegister, bits: 8 | 16): Instruction {
  return Instruction.of({ opcode: OPCODE.MOV32_X, dst: dst.number, src: src.number, offset: bits });
}

/** `dst = leBITS dst`: from the machine's order to little-endian; bits above are lost. */
export function toLittleEndian(dst: WritableRegister, bits: 16 | 32 | 64): Instruction {
  return Instruction.of({ opcode: BPF_CLASS.ALU | BPF_ALU_OP.END, dst: dst.number, imm: bits });
}

/** `dst = beBITS dst`: from the machine's order to big-endian (network order); bits above are lost. */
export function toBigEndian(dst: WritableRegister, bits: 16 | 32 | 64): Instruction {
  return Instruction.of({ opcode: BPF_CLASS.ALU | BPF_ALU_OP.END | BPF_SRC.X, dst: dst.number, imm: bits });
}

/** `dst = bswapBITS dst`: the bytes in the other order (v4, Linux 6.6); bits above are lost. */
export function bswap(dst: WritableRegister, bits: 16 | 32 | 64): Instruction {
  return Instruction.of({ opcode: BPF_CLASS.ALU64 | BPF_ALU_OP.END, dst: dst.number, imm: bits });
}

/**
 * `dst = addr_space_cast(src, to, from)`: a pointer of one address space as one of another (Linux 6.9; arenas are 1).
 *
 * @throws {RangeError} if an address space does not fit 16 bits.
 */
export function addrSpaceCast(dst: WritableRegister, src: AnyRegister, to: number, from: number): Instruction {
  const imm = unsigned(to, 16, "addrSpaceCast to") << 16 | unsigned(from, 16, "addrSpaceCast from");
  return Instruction.of({ opcode: OPCODE.MOV64_X, dst: dst.number, src: src.number, offset: ADDR_SPACE_CAST, imm });
}

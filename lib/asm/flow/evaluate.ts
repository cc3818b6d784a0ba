/**
 * What instructions compute, of 64-bit numbers without a sign.
 *
 * Facts: Documentation/bpf/standardization/instruction-set.rst: 32-bit operations clear the upper half; division by 0 gives
 * 0, a remainder by 0 the dividend; shifts count modulo the width; the most negative number divided by -1 is itself.
 *
 * @module
 */
import type { ByteOrder } from "../../bytes.ts";
import type { Instruction } from "../instruction.ts";
import { BPF_ALU_OP, BPF_CLASS, BPF_JMP_OP, BPF_SRC, OPCODE } from "../opcode.ts";

/** The result of an arithmetic instruction; `undefined` for one that makes no number (an address space cast). */
export function evaluateAlu(insn: Instruction, dst: bigint, src: bigint, order: ByteOrder): bigint | undefined {
  const { opcode, offset } = insn;
  const bits = (opcode & 0x07) === BPF_CLASS.ALU64 ? 64 : 32;
  const op = opcode & 0xf0;
  if (op === BPF_ALU_OP.END) return swapped(insn, dst, order);
  if (opcode === OPCODE.MOV64_X && (offset === 1 || offset === -1)) return undefined;
  const result = arithmetic(op, offset, bits, BigInt.asUintN(bits, dst), BigInt.asUintN(bits, src));
  return result === undefined ? undefined : BigInt.asUintN(bits, result);
}

function arithmetic(op: number, offset: number, bits: 32 | 64, a: bigint, b: bigint): bigint | undefined {
  const signed = (value: bigint) => BigInt.asIntN(bits, value);
  const shift = b & BigInt(bits - 1);
  switch (op) {
    case BPF_ALU_OP.ADD:
      return a + b;
    case BPF_ALU_OP.SUB:
      return a - b;
    case BPF_ALU_OP.MUL:
      return a * b;
    case BPF_ALU_OP.DIV:
      if (b === 0n) return 0n;
      return offset === 1 ? signed(a) / signed(b) : a / b;
    case BPF_ALU_OP.MOD:
      if (b === 0n) return a;
      return offset === 1 ? signed(a) % signed(b) : a % b;
    case BPF_ALU_OP.OR:
      return a | b;
    case BPF_ALU_OP.AND:
      return a & b;
    case BPF_ALU_OP.XOR:
      return a ^ b;
    case BPF_ALU_OP.LSH:
      return a << shift;
    case BPF_ALU_OP.RSH:
      return a >> shift;
    case BPF_ALU_OP.ARSH:
      return signed(a) >> shift;
    case BPF_ALU_OP.NEG:
      return -a;
    case BPF_ALU_OP.MOV:
      return offset === 0 ? b : BigInt.asIntN(offset, b);
  }
  return undefined;
}

function swapped({ opcode, imm }: Instruction, value: bigint, order: ByteOrder): bigint {
  const low = BigInt.asUintN(imm, value);
  const always = (opcode & 0x07) === BPF_CLASS.ALU64;
  const target: ByteOrder = (opcode & BPF_SRC.X) === 0 ? "little" : "big";
  if (!always && target === order) return low;
  let result = 0n;
  for (let i = 0; i < imm; i += 8) result = result << 8n | (low >> BigInt(i) & 0xffn);
  return result;
}

/** Whether the condition of a jump holds. */
export function evaluateCondition(insn: Instruction, left: bigint, right: bigint): boolean | undefined {
  const bits = (insn.opcode & 0x07) === BPF_CLASS.JMP32 ? 32 : 64;
  const a = BigInt.asUintN(bits, left);
  const b = BigInt.asUintN(bits, right);
  const sa = BigInt.asIntN(bits, left);
  const sb = BigInt.asIntN(bits, right);
  switch (insn.opcode & 0xf0) {
    case BPF_JMP_OP.JEQ:
      return a === b;
    case BPF_JMP_OP.JNE:
      return a !== b;
    case BPF_JMP_OP.JSET:
      return (a & b) !== 0n;
    case BPF_JMP_OP.JGT:
      return a > b;
    case BPF_JMP_OP.JGE:
      return a >= b;
    case BPF_JMP_OP.JLT:
      return a < b;
    case BPF_JMP_OP.JLE:
      return a <= b;
    case BPF_JMP_OP.JSGT:
      return sa > sb;
    case BPF_JMP_OP.JSGE:
      return sa >= sb;
    case BPF_JMP_OP.JSLT:
      return sa < sb;
    case BPF_JMP_OP.JSLE:
      return sa <= sb;
  }
  return undefined;
}

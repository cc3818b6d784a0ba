/**
 * What instructions need of a kernel: the version of the instruction set, and the kernel that brought each form.
 *
 * Facts: Documentation/bpf/standardization/instruction-set.rst, clang's `-mcpu=v1` to `v4`, and the kernel commits that taught the
 * verifier each form: 92b31a9af73b (jlt and others, 4.14), cc8b0b92a169 (calls of functions, 4.16), d8eca5bbb2be (values of maps,
 * 5.2), 092ed0968bb6 (32-bit jumps, 5.1), 4976b718c355 (kernel variables, 5.10), 5ffa25502b5a and following (atomics, 5.12),
 * 69c087ba6225 (function pointers, 5.13), e6ac2450d6de (kernel functions, 5.13), 387544bfa291 (fd_array, 5.14), 1f9a1ea821ff and
 * following (v4, 6.6), 6082b6c328b5 (address spaces, 6.9), 011832b97b31 (may_goto, 6.9), 880442305a39 (load-acquire, store-release,
 * 6.15), 493d9e0d6083 (gotox, 6.19).
 *
 * @module
 */
import type { Instruction } from "./instruction.ts";
import { BPF_ALU_OP, BPF_ATOMIC_OP, BPF_CLASS, BPF_JMP_OP, BPF_MODE, BPF_PSEUDO, OPCODE } from "./opcode.ts";
import { isCall, isConditionalJump, isLoadImm64 } from "./predicates.ts";

/** A form of instructions that not every kernel takes. */
export interface InstructionFeature {
  /** What it is: `"signed division"`. */
  readonly name: string;
  /** The kernel version that takes it: `"6.6"`; `undefined` if none does. */
  readonly since: string | undefined;
  /** Version of the instruction set as clang's `-mcpu` counts, for those that it generates by that option; else 1. */
  readonly cpu: 1 | 2 | 3 | 4;
}

function feature(name: string, since: string | undefined, cpu: 1 | 2 | 3 | 4 = 1): InstructionFeature {
  return { name, since, cpu };
}

const LESS_JUMP = feature("jumps if less", "4.14", 2);
const JUMP32 = feature("32-bit jumps", "5.1", 3);
const FETCH = feature("atomic operations with a result", "5.12", 3);
const ATOMIC_LOGIC = feature("atomic and, or, xor", "5.12", 3);
const ORDERED = feature("load-acquire and store-release", "6.15");
const SIGNED_DIVISION = feature("signed division", "6.6", 4);
const SIGN_EXTENSION = feature("sign-extending moves", "6.6", 4);
const SIGNED_LOAD = feature("sign-extending loads", "6.6", 4);
const BSWAP = feature("unconditional byte swaps", "6.6", 4);
const GOTOL = feature("gotol", "6.6", 4);
const GOTOX = feature("gotox", "6.19");
const CALLX = feature("callx", undefined);
const MAY_GOTO = feature("may_goto", "6.9");
const ADDRESS_SPACES = feature("address space casts", "6.9");
const FUNCTION_CALL = feature("calls of functions", "4.16");
const KFUNC_CALL = feature("calls of kernel functions", "5.13");
const FUNCTION_POINTER = feature("function pointers", "5.13");
const MAP_VALUE = feature("addresses of map values", "5.2");
const KERNEL_VARIABLE = feature("addresses of kernel variables", "5.10");
const FD_ARRAY = feature("maps by index in fd_array", "5.14");

const LESS: ReadonlySet<number> = new Set([BPF_JMP_OP.JLT, BPF_JMP_OP.JLE, BPF_JMP_OP.JSLT, BPF_JMP_OP.JSLE]);
const LOGIC: ReadonlySet<number> = new Set([BPF_ATOMIC_OP.AND, BPF_ATOMIC_OP.OR, BPF_ATOMIC_OP.XOR]);

/** The form of an instruction that not every kernel takes; `undefined` for one that Linux 3.19 takes. */
export function instructionFeature(insn: Instruction): InstructionFeature | undefined {
  const { opcode } = insn;
  switch (opcode & 0x07) {
    case BPF_CLASS.ALU:
    case BPF_CLASS.ALU64:
      return arithmeticFeature(insn);
    case BPF_CLASS.LDX:
      return (opcode & 0xe0) === BPF_MODE.MEMSX ? SIGNED_LOAD : undefined;
    case BPF_CLASS.STX:
      return (opcode & 0xe0) === BPF_MODE.ATOMIC ? atomicFeature(insn.imm) : undefined;
    case BPF_CLASS.LD:
      return isLoadImm64(insn) ? loadFeature(insn.src) : undefined;
    case BPF_CLASS.JMP:
    case BPF_CLASS.JMP32:
      return jumpFeature(insn);
  }
  return undefined;
}

function arithmeticFeature({ opcode, offset }: Instruction): InstructionFeature | undefined {
  const op = opcode & 0xf0;
  if (op === BPF_ALU_OP.END) return (opcode & 0x07) === BPF_CLASS.ALU64 ? BSWAP : undefined;
  if (offset === 0) return undefined;
  if (op === BPF_ALU_OP.DIV || op === BPF_ALU_OP.MOD) return SIGNED_DIVISION;
  return offset === 1 ? ADDRESS_SPACES : SIGN_EXTENSION;
}

function atomicFeature(imm: number): InstructionFeature | undefined {
  if (imm === BPF_ATOMIC_OP.LOAD_ACQ || imm === BPF_ATOMIC_OP.STORE_REL) return ORDERED;
  if ((imm & BPF_ATOMIC_OP.FETCH) !== 0) return FETCH;
  return LOGIC.has(imm) ? ATOMIC_LOGIC : undefined;
}

function loadFeature(src: number): InstructionFeature | undefined {
  switch (src) {
    case BPF_PSEUDO.MAP_VALUE:
      return MAP_VALUE;
    case BPF_PSEUDO.BTF_ID:
      return KERNEL_VARIABLE;
    case BPF_PSEUDO.FUNC:
      return FUNCTION_POINTER;
    case BPF_PSEUDO.MAP_IDX:
    case BPF_PSEUDO.MAP_IDX_VALUE:
      return FD_ARRAY;
  }
  return undefined;
}

function jumpFeature(insn: Instruction): InstructionFeature | undefined {
  const { opcode, src } = insn;
  if (isCall(insn)) {
    return src === BPF_PSEUDO.CALL ? FUNCTION_CALL : src === BPF_PSEUDO.KFUNC_CALL ? KFUNC_CALL : undefined;
  }
  switch (opcode) {
    case OPCODE.CALL_X:
      return CALLX;
    case OPCODE.JA32:
      return GOTOL;
    case OPCODE.JA_X:
      return GOTOX;
    case OPCODE.JCOND:
      return MAY_GOTO;
  }
  if (!isConditionalJump(insn)) return undefined;
  if ((opcode & 0x07) === BPF_CLASS.JMP32) return JUMP32;
  return LESS.has(opcode & 0xf0) ? LESS_JUMP : undefined;
}

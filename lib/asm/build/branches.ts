/**
 * Builders of jumps, calls and returns. A jump or call of a label gets its distance from `resolveReferences()`.
 *
 * @module
 */
import { BpfFuncId, enumName } from "../../uapi/mod.ts";
import { Instruction } from "../instruction.ts";
import { Label, REFERENCE } from "../keys.ts";
import { BPF_CLASS, BPF_JMP_OP, BPF_PSEUDO, BPF_SRC, OPCODE } from "../opcode.ts";
import { type AnyRegister, imm32, off16, type Operand, Register, type Target, unsigned } from "./operands.ts";

/** Builds `if left OP right goto target`. @throws {RangeError} if a number does not fit its field. */
export type ComparisonBuilder = (left: AnyRegister, right: Operand, target: Target) => Instruction;

function jump(insn: Instruction, target: Target, what: string): Instruction {
  return target instanceof Label
    ? insn.with(REFERENCE, target)
    : insn.edit({ offset: off16(target, `distance of ${what}`) });
}

function comparison(name: string, wide: boolean, op: number): ComparisonBuilder {
  const opcode = (wide ? BPF_CLASS.JMP : BPF_CLASS.JMP32) | op;
  return (left, right, target) => {
    const insn = right instanceof Register
      ? Instruction.of({ opcode: opcode | BPF_SRC.X, dst: left.number, src: right.number })
      : Instruction.of({ opcode, dst: left.number, imm: imm32(right, name) });
    return jump(insn, target, name);
  };
}

/** `if left == right`, 64 bits. */
export const jeq64: ComparisonBuilder = comparison("jeq64", true, BPF_JMP_OP.JEQ);
/** `if left == right`, 32 bits (v3, Linux 5.1). */
export const jeq32: ComparisonBuilder = comparison("jeq32", false, BPF_JMP_OP.JEQ);
/** `if left != right`, 64 bits. */
export const jne64: ComparisonBuilder = comparison("jne64", true, BPF_JMP_OP.JNE);
/** `if left != right`, 32 bits (v3, Linux 5.1). */
export const jne32: ComparisonBuilder = comparison("jne32", false, BPF_JMP_OP.JNE);
/** `if left > right` without signs, 64 bits. */
export const jgt64: ComparisonBuilder = comparison("jgt64", true, BPF_JMP_OP.JGT);
/** `if left > right` without signs, 32 bits (v3, Linux 5.1). */
export const jgt32: ComparisonBuilder = comparison("jgt32", false, BPF_JMP_OP.JGT);
/** `if left >= right` without signs, 64 bits. */
export const jge64: ComparisonBuilder = comparison("jge64", true, BPF_JMP_OP.JGE);
/** `if left >= right` without signs, 32 bits (v3, Linux 5.1). */
export const jge32: ComparisonBuilder = comparison("jge32", false, BPF_JMP_OP.JGE);
/** `if left < right` without signs, 64 bits (v2, Linux 4.14). */
export const jlt64: ComparisonBuilder = comparison("jlt64", true, BPF_JMP_OP.JLT);
/** `if left < right` without signs, 32 bits (v3, Linux 5.1). */
export const jlt32: ComparisonBuilder = comparison("jlt32", false, BPF_JMP_OP.JLT);
/** `if left <= right` without signs, 64 bits (v2, Linux 4.14). */
export const jle64: ComparisonBuilder = comparison("jle64", true, BPF_JMP_OP.JLE);
/** `if left <= right` without signs, 32 bits (v3, Linux 5.1). */
export const jle32: ComparisonBuilder = comparison("jle32", false, BPF_JMP_OP.JLE);
/** `if left s> right`, 64 bits. */
export const jsgt64: ComparisonBuilder = comparison("jsgt64", true, BPF_JMP_OP.JSGT);
/** `if left s> right`, 32 bits (v3, Linux 5.1). */
export const jsgt32: ComparisonBuilder = comparison("jsgt32", false, BPF_JMP_OP.JSGT);
/** `if left s>= right`, 64 bits. */
export const jsge64: ComparisonBuilder = comparison("jsge64", true, BPF_JMP_OP.JSGE);
/** `if left s>= right`, 32 bits (v3, Linux 5.1). */
export const jsge32: ComparisonBuilder = comparison("jsge32", false, BPF_JMP_OP.JSGE);
/** `if left s< right`, 64 bits (v2, Linux 4.14). */
export const jslt64: ComparisonBuilder = comparison("jslt64", true, BPF_JMP_OP.JSLT);
/** `if left s< right`, 32 bits (v3, Linux 5.1). */
export const jslt32: ComparisonBuilder = comparison("jslt32", false, BPF_JMP_OP.JSLT);
/** `if left s<= right`, 64 bits (v2, Linux 4.14). */
export const jsle64: ComparisonBuilder = comparison("jsle64", true, BPF_JMP_OP.JSLE);
/** `if left s<= right`, 32 bits (v3, Linux 5.1). */
export const jsle32: ComparisonBuilder = comparison("jsle32", false, BPF_JMP_OP.JSLE);
/** `if left & right` has any bit, 64 bits. */
export const jset64: ComparisonBuilder = comparison("jset64", true, BPF_JMP_OP.JSET);
/** `if left & right` has any bit, 32 bits (v3, Linux 5.1). */
export const jset32: ComparisonBuilder = comparison("jset32", false, BPF_JMP_OP.JSET);

/** `goto target`. @throws {RangeError} if a distance does not fit 16 bits. */
export function goto(target: Target): Instruction {
  return jump(Instruction.of({ opcode: OPCODE.JA }), target, "goto");
}

/** `gotol target`, with a distance of 32 bits (v4, Linux 6.6). @throws {RangeError} if a distance does not fit. */
export function gotol(target: Target): Instruction {
  const insn = Instruction.of({ opcode: OPCODE.JA32 });
  return target instanceof Label
    ? insn.with(REFERENCE, target)
    : insn.edit({ imm: imm32(target, "distance of gotol") });
}

/** `gotox target`: to the address in a register, from a jump table (Linux 6.19). */
export function gotox(target: AnyRegister): Instruction {
  return Instruction.of({ opcode: OPCODE.JA_X, dst: target.number });
}

/** `may_goto target`: goes on until the kernel has had enough of the loop (Linux 6.9). */
export function mayGoto(target: Target): Instruction {
  return jump(Instruction.of({ opcode: OPCODE.JCOND }), target, "may_goto");
}

/** `call bpf_...`. @throws {RangeError} for a number that is no helper's. */
export function callHelper(helper: BpfFuncId): Instruction {
  if (enumName(BpfFuncId, helper) === undefined) throw new RangeError(`callHelper: no helper has number ${helper}`);
  return Instruction.of({ opcode: OPCODE.CALL, imm: helper });
}

/** Calls a function of the program: by its label, or some slots on. @throws {RangeError} if a distance does not fit. */
export function callFunction(target: Target): Instruction {
  const insn = Instruction.of({ opcode: OPCODE.CALL, src: BPF_PSEUDO.CALL, imm: -1 });
  return target instanceof Label
    ? insn.with(REFERENCE, target)
    : insn.edit({ imm: imm32(target, "distance of callFunction") });
}

/**
 * Calls a kernel function (Linux 5.13).
 *
 * @param btfId Its id in the BTF of the kernel or of a module.
 * @param fdArrayIndex Of a module's: where in the load command's `fd_array` its BTF is; 0 for the kernel's own.
 * @throws {RangeError} if one does not fit.
 */
export function callKfunc(btfId: number, fdArrayIndex: number = 0): Instruction {
  return Instruction.of({
    opcode: OPCODE.CALL,
    src: BPF_PSEUDO.KFUNC_CALL,
    imm: unsigned(btfId, 31, "BTF id of callKfunc"),
    offset: off16(fdArrayIndex, "fd_array index of callKfunc"),
  });
}

/** `callx target`: calls the address in a register, which no kernel takes. */
export function callx(target: AnyRegister): Instruction {
  return Instruction.of({ opcode: OPCODE.CALL_X, dst: target.number });
}

/** `exit`: returns R0. */
export function exit(): Instruction {
  return Instruction.of({ opcode: OPCODE.EXIT });
}

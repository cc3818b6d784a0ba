/**
 * Questions about one instruction.
 *
 * @module
 */
import type { Instruction } from "./instruction.ts";
import { BPF_CLASS, BPF_JMP_OP, BPF_MODE, BPF_PSEUDO, OPCODE } from "./opcode.ts";

const CLASS_MASK = 0x07;
const MODE_MASK = 0xe0;
const OP_MASK = 0xf0;

/** Whether it is a 64-bit load: of a number, a map, a function, a kernel variable. */
export function isLoadImm64(insn: Instruction): boolean {
  return insn.opcode === OPCODE.LD_IMM64;
}

/** Whether it loads the address of a map or of a map's value, by fd or by index. */
export function isMapLoad(insn: Instruction): boolean {
  return insn.opcode === OPCODE.LD_IMM64 &&
    (insn.src === BPF_PSEUDO.MAP_FD || insn.src === BPF_PSEUDO.MAP_VALUE || insn.src === BPF_PSEUDO.MAP_IDX ||
      insn.src === BPF_PSEUDO.MAP_IDX_VALUE);
}

/** Whether it loads the address of a function of the program (a callback). */
export function isFunctionPointer(insn: Instruction): boolean {
  return insn.opcode === OPCODE.LD_IMM64 && insn.src === BPF_PSEUDO.FUNC;
}

/** Whether it calls something by number: a helper, a function of the program, a kfunc. */
export function isCall(insn: Instruction): boolean {
  return insn.opcode === OPCODE.CALL;
}

/** Whether it calls a function of the program. */
export function isFunctionCall(insn: Instruction): boolean {
  return insn.opcode === OPCODE.CALL && insn.src === BPF_PSEUDO.CALL;
}

/** Whether it calls a kernel helper (`imm` is a `BpfFuncId`). */
export function isHelperCall(insn: Instruction): boolean {
  return insn.opcode === OPCODE.CALL && insn.src === 0;
}

/** Whether it calls a kernel function by BTF id. */
export function isKfuncCall(insn: Instruction): boolean {
  return insn.opcode === OPCODE.CALL && insn.src === BPF_PSEUDO.KFUNC_CALL;
}

/** Whether it calls the address in a register, which no kernel allows. */
export function isIndirectCall(insn: Instruction): boolean {
  return insn.opcode === OPCODE.CALL_X;
}

/** Whether it returns. */
export function isExit(insn: Instruction): boolean {
  return insn.opcode === OPCODE.EXIT;
}

/** Whether it jumps, always or sometimes; calls and exits do not count. */
export function isJump(insn: Instruction): boolean {
  const insnClass = insn.opcode & CLASS_MASK;
  if (insnClass !== BPF_CLASS.JMP && insnClass !== BPF_CLASS.JMP32) return false;
  const op = insn.opcode & OP_MASK;
  return op !== BPF_JMP_OP.CALL && op !== BPF_JMP_OP.EXIT;
}

/** Whether it always jumps (`goto`, `gotol`, `gotox`). */
export function isUnconditionalJump(insn: Instruction): boolean {
  return insn.opcode === OPCODE.JA || insn.opcode === OPCODE.JA32 || insn.opcode === OPCODE.JA_X;
}

/** Whether it jumps or goes on to the next instruction, `may_goto` included. */
export function isConditionalJump(insn: Instruction): boolean {
  return isJump(insn) && !isUnconditionalJump(insn);
}

/**
 * How far a jump goes, in slots from the instruction after it; `undefined` for what is no jump, or one to the address in
 * a register.
 */
export function jumpDistance(insn: Instruction): number | undefined {
  if (!isJump(insn) || insn.opcode === OPCODE.JA_X) return undefined;
  return insn.opcode === OPCODE.JA32 ? insn.imm : insn.offset;
}

/** Whether it reads memory into a register with a plain, a sign-extending or a packet load; atomics and 64-bit loads do not count. */
export function isLoad(insn: Instruction): boolean {
  const insnClass = insn.opcode & CLASS_MASK;
  return insnClass === BPF_CLASS.LDX || (insnClass === BPF_CLASS.LD && insn.opcode !== OPCODE.LD_IMM64);
}

/** Whether it writes a register or an immediate to memory with a plain store; atomics do not count. */
export function isStore(insn: Instruction): boolean {
  const insnClass = insn.opcode & CLASS_MASK;
  return (insnClass === BPF_CLASS.ST || insnClass === BPF_CLASS.STX) && (insn.opcode & MODE_MASK) === BPF_MODE.MEM;
}

/** Whether it is an atomic operation, load-acquire and store-release included. */
export function isAtomic(insn: Instruction): boolean {
  return (insn.opcode & CLASS_MASK) === BPF_CLASS.STX && (insn.opcode & MODE_MASK) === BPF_MODE.ATOMIC;
}

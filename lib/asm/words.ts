/**
 * The verifier's words for operations and sizes: what the printer writes and the assembler reads.
 *
 * @module
 */
import { BPF_ALU_OP, BPF_ATOMIC_OP, BPF_JMP_OP } from "./opcode.ts";

/** Arithmetic by `BPF_ALU_OP`. */
export const ALU_TEXT: Readonly<Record<number, string>> = {
  [BPF_ALU_OP.ADD]: "+=",
  [BPF_ALU_OP.SUB]: "-=",
  [BPF_ALU_OP.MUL]: "*=",
  [BPF_ALU_OP.DIV]: "/=",
  [BPF_ALU_OP.OR]: "|=",
  [BPF_ALU_OP.AND]: "&=",
  [BPF_ALU_OP.LSH]: "<<=",
  [BPF_ALU_OP.RSH]: ">>=",
  [BPF_ALU_OP.MOD]: "%=",
  [BPF_ALU_OP.XOR]: "^=",
  [BPF_ALU_OP.MOV]: "=",
  [BPF_ALU_OP.ARSH]: "s>>=",
};

/** Comparisons by `BPF_JMP_OP`. */
export const JUMP_TEXT: Readonly<Record<number, string>> = {
  [BPF_JMP_OP.JEQ]: "==",
  [BPF_JMP_OP.JGT]: ">",
  [BPF_JMP_OP.JGE]: ">=",
  [BPF_JMP_OP.JSET]: "&",
  [BPF_JMP_OP.JNE]: "!=",
  [BPF_JMP_OP.JSGT]: "s>",
  [BPF_JMP_OP.JSGE]: "s>=",
  [BPF_JMP_OP.JLT]: "<",
  [BPF_JMP_OP.JLE]: "<=",
  [BPF_JMP_OP.JSLT]: "s<",
  [BPF_JMP_OP.JSLE]: "s<=",
};

/** Atomic arithmetic by `BPF_ATOMIC_OP`, as it stands in `atomic_fetch_add`. */
export const ATOMIC_TEXT: Readonly<Record<number, string>> = {
  [BPF_ATOMIC_OP.ADD]: "add",
  [BPF_ATOMIC_OP.OR]: "or",
  [BPF_ATOMIC_OP.AND]: "and",
  [BPF_ATOMIC_OP.XOR]: "xor",
};

/** Memory accesses by `BPF_SIZE` shifted to the right. */
export const SIZE_TEXT = ["u32", "u16", "u8", "u64"] as const;

/** Sign-extending loads by `BPF_SIZE` shifted to the right. */
export const SIGNED_SIZE_TEXT = ["s32", "s16", "s8", "s64"] as const;

/**
 * Parts of an instruction's `code` byte, and the pseudo kinds in its `src` field: the tables of `uapi` under short names,
 * for code that is full of them.
 *
 * Facts: the numbers are uapi's; how they make an instruction is Documentation/bpf/standardization/instruction-set.rst
 * (Linux 6.18).
 *
 * @module
 */
import { BpfAluOp, BpfAtomicOp, BpfClass, BpfJmpOp, BpfMode, BpfPseudo, BpfSize, BpfSource } from "../uapi/mod.ts";

/** A table of uapi without the prefix of its names: a name that a newer kernel adds is missed by the type checker. */
export type Unprefixed<Table, Prefix extends string> = {
  readonly [Name in keyof Table as Name extends `${Prefix}${infer Rest}` ? Rest : never]: Table[Name];
};

/** Instruction class: the low three bits. */
export const BPF_CLASS: Unprefixed<typeof BpfClass, "BPF_"> = {
  LD: BpfClass.BPF_LD,
  LDX: BpfClass.BPF_LDX,
  ST: BpfClass.BPF_ST,
  STX: BpfClass.BPF_STX,
  ALU: BpfClass.BPF_ALU,
  JMP: BpfClass.BPF_JMP,
  JMP32: BpfClass.BPF_JMP32,
  ALU64: BpfClass.BPF_ALU64,
};

/** Width of a memory access, of classes LD, LDX, ST and STX: bits 3 and 4. */
export const BPF_SIZE: Unprefixed<typeof BpfSize, "BPF_"> = {
  W: BpfSize.BPF_W,
  H: BpfSize.BPF_H,
  B: BpfSize.BPF_B,
  DW: BpfSize.BPF_DW,
};

/** Mode of a memory access, of classes LD, LDX, ST and STX: the high three bits. */
export const BPF_MODE: Unprefixed<typeof BpfMode, "BPF_"> = {
  IMM: BpfMode.BPF_IMM,
  ABS: BpfMode.BPF_ABS,
  IND: BpfMode.BPF_IND,
  MEM: BpfMode.BPF_MEM,
  MEMSX: BpfMode.BPF_MEMSX,
  ATOMIC: BpfMode.BPF_ATOMIC,
};

/** Second operand of arithmetic and jumps: the immediate (K) or the source register (X). */
export const BPF_SRC: Unprefixed<typeof BpfSource, "BPF_"> = { K: BpfSource.BPF_K, X: BpfSource.BPF_X };

/** Operation of classes ALU and ALU64: the high four bits. */
export const BPF_ALU_OP: Unprefixed<typeof BpfAluOp, "BPF_"> = {
  ADD: BpfAluOp.BPF_ADD,
  SUB: BpfAluOp.BPF_SUB,
  MUL: BpfAluOp.BPF_MUL,
  DIV: BpfAluOp.BPF_DIV,
  OR: BpfAluOp.BPF_OR,
  AND: BpfAluOp.BPF_AND,
  LSH: BpfAluOp.BPF_LSH,
  RSH: BpfAluOp.BPF_RSH,
  NEG: BpfAluOp.BPF_NEG,
  MOD: BpfAluOp.BPF_MOD,
  XOR: BpfAluOp.BPF_XOR,
  MOV: BpfAluOp.BPF_MOV,
  ARSH: BpfAluOp.BPF_ARSH,
  END: BpfAluOp.BPF_END,
};

/** Operation of classes JMP and JMP32: the high four bits. */
export const BPF_JMP_OP: Unprefixed<typeof BpfJmpOp, "BPF_"> = {
  JA: BpfJmpOp.BPF_JA,
  JEQ: BpfJmpOp.BPF_JEQ,
  JGT: BpfJmpOp.BPF_JGT,
  JGE: BpfJmpOp.BPF_JGE,
  JSET: BpfJmpOp.BPF_JSET,
  JNE: BpfJmpOp.BPF_JNE,
  JSGT: BpfJmpOp.BPF_JSGT,
  JSGE: BpfJmpOp.BPF_JSGE,
  CALL: BpfJmpOp.BPF_CALL,
  EXIT: BpfJmpOp.BPF_EXIT,
  JLT: BpfJmpOp.BPF_JLT,
  JLE: BpfJmpOp.BPF_JLE,
  JSLT: BpfJmpOp.BPF_JSLT,
  JSLE: BpfJmpOp.BPF_JSLE,
  JCOND: BpfJmpOp.BPF_JCOND,
};

/** What an atomic instruction does: its immediate. `FETCH` is or-ed to the first four. */
export const BPF_ATOMIC_OP: Unprefixed<
  Pick<typeof BpfAluOp, "BPF_ADD" | "BPF_OR" | "BPF_AND" | "BPF_XOR"> & typeof BpfAtomicOp,
  "BPF_"
> = {
  ADD: BpfAluOp.BPF_ADD,
  OR: BpfAluOp.BPF_OR,
  AND: BpfAluOp.BPF_AND,
  XOR: BpfAluOp.BPF_XOR,
  FETCH: BpfAtomicOp.BPF_FETCH,
  XCHG: BpfAtomicOp.BPF_XCHG,
  CMPXCHG: BpfAtomicOp.BPF_CMPXCHG,
  LOAD_ACQ: BpfAtomicOp.BPF_LOAD_ACQ,
  STORE_REL: BpfAtomicOp.BPF_STORE_REL,
};

/**
 * What a 64-bit load (first six) or a call (last two) refers to: its `src` field.
 *
 * - `MAP_FD`: `imm` is the fd of a map: its address is loaded.
 * - `MAP_VALUE`: `imm` is the fd of a map, `immHigh` an offset in its value: the address of that is loaded.
 * - `BTF_ID`: `imm` is the BTF id of a kernel variable, `immHigh` the fd of a module's BTF.
 * - `FUNC`: `imm` is the distance in slots to a function, less one, whose address is loaded.
 * - `MAP_IDX`, `MAP_IDX_VALUE`: as `MAP_FD`, `MAP_VALUE`, with an index in the load command's `fd_array`.
 * - `CALL`: of a call: `imm` is the distance in slots to a function of the program, less one.
 * - `KFUNC_CALL`: of a call: `imm` is the BTF id of a kernel function, `offset` an index in `fd_array` for a module's.
 */
export const BPF_PSEUDO: Unprefixed<typeof BpfPseudo, "BPF_PSEUDO_"> = {
  MAP_FD: BpfPseudo.BPF_PSEUDO_MAP_FD,
  MAP_VALUE: BpfPseudo.BPF_PSEUDO_MAP_VALUE,
  BTF_ID: BpfPseudo.BPF_PSEUDO_BTF_ID,
  FUNC: BpfPseudo.BPF_PSEUDO_FUNC,
  MAP_IDX: BpfPseudo.BPF_PSEUDO_MAP_IDX,
  MAP_IDX_VALUE: BpfPseudo.BPF_PSEUDO_MAP_IDX_VALUE,
  CALL: BpfPseudo.BPF_PSEUDO_CALL,
  KFUNC_CALL: BpfPseudo.BPF_PSEUDO_KFUNC_CALL,
};

/** Whole `code` bytes of instructions that are asked for by name. */
export const OPCODE = {
  /** 64-bit load: the only instruction of two slots. */
  LD_IMM64: 0x18,
  /** Unconditional jump by `offset`. */
  JA: 0x05,
  /** Unconditional jump by `imm` (`gotol`, cpu v4). */
  JA32: 0x06,
  /** Unconditional jump to the address in `dst` (`gotox`, Linux 6.19). */
  JA_X: 0x0d,
  /** Call of a helper, function or kfunc. */
  CALL: 0x85,
  /** Call of the address in a register: clang emits it, no kernel takes it. */
  CALL_X: 0x8d,
  /** Return. */
  EXIT: 0x95,
  /** Bounded conditional jump (`may_goto`, Linux 6.9). */
  JCOND: 0xe5,
  /** 64-bit move of an immediate. */
  MOV64_K: 0xb7,
  /** 64-bit move of a register; with `offset` 1 an address space cast. */
  MOV64_X: 0xbf,
  /** 32-bit move of an immediate. */
  MOV32_K: 0xb4,
  /** 32-bit move of a register. */
  MOV32_X: 0xbc,
} as const;

/** Highest register: the read-only frame pointer. */
export const BPF_REG_10 = 10;

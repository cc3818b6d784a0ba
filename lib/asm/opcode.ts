/**
 * Parts of an instruction's `code` byte, and the pseudo kinds in its `src` field.
 *
 * Facts: linux/bpf.h, linux/bpf_common.h and Documentation/bpf/standardization/instruction-set.rst (Linux 6.18); names
 * are the kernel's without the common prefix.
 *
 * @module
 */

/** Instruction class: the low three bits. */
export const BPF_CLASS = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 } as const;

/** Width of a memory access, of classes LD, LDX, ST and STX: bits 3 and 4. */
export const BPF_SIZE = { W: 0x00, H: 0x08, B: 0x10, DW: 0x18 } as const;

/** Mode of a memory access, of classes LD, LDX, ST and STX: the high three bits. */
export const BPF_MODE = { IMM: 0x00, ABS: 0x20, IND: 0x40, MEM: 0x60, MEMSX: 0x80, ATOMIC: 0xc0 } as const;

/** Second operand of arithmetic and jumps: the immediate (K) or the source register (X). */
export const BPF_SRC = { K: 0x00, X: 0x08 } as const;

/** Operation of classes ALU and ALU64: the high four bits. */
export const BPF_ALU_OP = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  MOD: 0x90,
  XOR: 0xa0,
  MOV: 0xb0,
  ARSH: 0xc0,
  END: 0xd0,
} as const;

/** Operation of classes JMP and JMP32: the high four bits. */
export const BPF_JMP_OP = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  JNE: 0x50,
  JSGT: 0x60,
  JSGE: 0x70,
  CALL: 0x80,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
  JSLT: 0xc0,
  JSLE: 0xd0,
  JCOND: 0xe0,
} as const;

/** What an atomic instruction does: its immediate. `FETCH` is or-ed to the first four. */
export const BPF_ATOMIC_OP = {
  ADD: 0x00,
  OR: 0x40,
  AND: 0x50,
  XOR: 0xa0,
  FETCH: 0x01,
  XCHG: 0xe1,
  CMPXCHG: 0xf1,
  LOAD_ACQ: 0x100,
  STORE_REL: 0x110,
} as const;

/** What a 64-bit load (first seven) or a call (last two) refers to: its `src` field. */
export const BPF_PSEUDO = {
  /** `imm` is the fd of a map: its address is loaded. */
  MAP_FD: 1,
  /** `imm` is the fd of a map, `immHigh` an offset in its value: the address of that is loaded. */
  MAP_VALUE: 2,
  /** `imm` is the BTF id of a kernel variable, `immHigh` the fd of a module's BTF. */
  BTF_ID: 3,
  /** `imm` is the distance in slots to a function, whose address is loaded. */
  FUNC: 4,
  /** As `MAP_FD`, with an index in the load command's `fd_array`. */
  MAP_IDX: 5,
  /** As `MAP_VALUE`, with an index in the load command's `fd_array`. */
  MAP_IDX_VALUE: 6,
  /** Of a call: `imm` is the distance in slots to a function of the program, less one. */
  CALL: 1,
  /** Of a call: `imm` is the BTF id of a kernel function, `offset` an index in `fd_array` for a module's. */
  KFUNC_CALL: 2,
} as const;

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

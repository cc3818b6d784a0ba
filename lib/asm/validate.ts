/**
 * Which combinations of fields are instructions.
 *
 * Facts: Documentation/bpf/standardization/instruction-set.rst, and the fields that kernel/bpf/verifier.c refuses as
 * reserved (Linux 6.18). `callx` is no kernel's, but clang emits it; `gotox` is Linux 6.19's.
 *
 * The decoder asks one table about most instructions: which fields an ordinary instruction of that opcode leaves zero.
 * Only when such a field is set is the instruction looked at closely by {@linkcode whyInvalid}.
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import {
  BPF_ALU_OP,
  BPF_ATOMIC_OP,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_PSEUDO,
  BPF_REG_10,
  BPF_SIZE,
  BPF_SRC,
  OPCODE,
} from "./opcode.ts";

// Fields of an instruction as bits of ZERO_FIELDS. LOOK is none: the opcode does not exist, or always needs a close look.
const DST = 1;
const SRC = 2;
const OFFSET = 4;
const IMM = 8;
const LOOK = 16;
const UNKNOWN = DST | SRC | OFFSET | IMM | LOOK;

/** By opcode: the fields that are zero unless the instruction has a special meaning, or is invalid. */
const ZERO_FIELDS = zeroFields();

/** {@linkcode ZERO_FIELDS} as bits of the two 32-bit words of a slot, read in one byte order. */
interface SlotMasks {
  /** By opcode: bits of the first word (`code`, registers, `off`) that are usually zero. */
  readonly word: Int32Array;
  /** By opcode: bits of the second word (`imm`) that are usually zero. */
  readonly imm: Int32Array;
  /** Or-ed to the first word, the bit that makes opcodes which need a close look always unusual. */
  readonly look: number;
}

/** What makes an instruction unusual: `(word | look) & masks.word[opcode] | imm & masks.imm[opcode]` is not zero. */
export const UNUSUAL: Readonly<Record<ByteOrder, SlotMasks>> = {
  little: slotMasks({ dst: 0x0f00, src: 0xf000, offset: 0xffff << 16, look: 1 }),
  big: slotMasks({ dst: 0x0f << 20, src: 0x0f << 16, offset: 0xffff, look: 1 << 24 }),
};

function slotMasks(bits: { dst: number; src: number; offset: number; look: number }): SlotMasks {
  const word = ZERO_FIELDS.map((fields) =>
    (fields & DST && bits.dst) | (fields & SRC && bits.src) | (fields & OFFSET && bits.offset) |
    (fields & LOOK && bits.look)
  );
  return { word, imm: ZERO_FIELDS.map((fields) => fields & IMM && -1), look: bits.look };
}

function zeroFields(): Int32Array {
  const table = new Int32Array(256).fill(UNKNOWN);
  for (const width of [BPF_CLASS.ALU, BPF_CLASS.ALU64]) {
    for (const op of Object.values(BPF_ALU_OP)) {
      table[width | op | BPF_SRC.K] = SRC | OFFSET;
      table[width | op | BPF_SRC.X] = OFFSET | IMM;
    }
    table[width | BPF_ALU_OP.NEG] = SRC | OFFSET | IMM;
    table[width | BPF_ALU_OP.NEG | BPF_SRC.X] = UNKNOWN;
    table[width | BPF_ALU_OP.END] = SRC | OFFSET | IMM | LOOK;
    table[width | BPF_ALU_OP.END | BPF_SRC.X] = width === BPF_CLASS.ALU ? SRC | OFFSET | IMM | LOOK : UNKNOWN;
  }
  for (const width of [BPF_CLASS.JMP, BPF_CLASS.JMP32]) {
    for (const op of Object.values(BPF_JMP_OP)) {
      if (op === BPF_JMP_OP.JA || op === BPF_JMP_OP.CALL || op === BPF_JMP_OP.EXIT || op === BPF_JMP_OP.JCOND) continue;
      table[width | op | BPF_SRC.K] = SRC;
      table[width | op | BPF_SRC.X] = IMM;
    }
  }
  table[OPCODE.JA] = DST | SRC | IMM;
  table[OPCODE.JA32] = DST | SRC | OFFSET;
  table[OPCODE.JA_X] = SRC | OFFSET | IMM;
  table[OPCODE.CALL] = DST | SRC | OFFSET;
  // The register is in `dst`, in `imm` before LLVM 19.
  table[OPCODE.CALL_X] = SRC | OFFSET | LOOK;
  table[OPCODE.EXIT] = DST | SRC | OFFSET | IMM;
  table[OPCODE.JCOND] = DST | SRC | IMM;
  table[OPCODE.LD_IMM64] = SRC | OFFSET;
  for (const size of Object.values(BPF_SIZE)) {
    table[BPF_CLASS.LDX | BPF_MODE.MEM | size] = IMM;
    table[BPF_CLASS.ST | BPF_MODE.MEM | size] = SRC;
    table[BPF_CLASS.STX | BPF_MODE.MEM | size] = IMM;
    table[BPF_CLASS.STX | BPF_MODE.ATOMIC | size] = size === BPF_SIZE.W || size === BPF_SIZE.DW ? IMM : IMM | LOOK;
    if (size === BPF_SIZE.DW) continue;
    table[BPF_CLASS.LDX | BPF_MODE.MEMSX | size] = IMM;
    table[BPF_CLASS.LD | BPF_MODE.ABS | size] = DST | SRC | OFFSET;
    table[BPF_CLASS.LD | BPF_MODE.IND | size] = DST | OFFSET;
  }
  return table;
}

/** Address space cast: `offset` of a 64-bit move; the two address spaces are the halves of `imm`. */
export const ADDR_SPACE_CAST = 1;

const ATOMIC_WORD_OPS: ReadonlySet<number> = new Set([
  BPF_ATOMIC_OP.ADD,
  BPF_ATOMIC_OP.OR,
  BPF_ATOMIC_OP.AND,
  BPF_ATOMIC_OP.XOR,
  BPF_ATOMIC_OP.ADD | BPF_ATOMIC_OP.FETCH,
  BPF_ATOMIC_OP.OR | BPF_ATOMIC_OP.FETCH,
  BPF_ATOMIC_OP.AND | BPF_ATOMIC_OP.FETCH,
  BPF_ATOMIC_OP.XOR | BPF_ATOMIC_OP.FETCH,
  BPF_ATOMIC_OP.XCHG,
  BPF_ATOMIC_OP.CMPXCHG,
  BPF_ATOMIC_OP.LOAD_ACQ,
  BPF_ATOMIC_OP.STORE_REL,
]);

/** The offsets that select a variant of the arithmetic instruction `opcode`, besides 0. */
function variantOffsets(opcode: number): readonly number[] {
  const op = opcode & 0xf0;
  if (op === BPF_ALU_OP.DIV || op === BPF_ALU_OP.MOD) return [1];
  if (opcode === OPCODE.MOV64_X) return [ADDR_SPACE_CAST, 8, 16, 32];
  if (opcode === OPCODE.MOV32_X) return [8, 16];
  return [];
}

/**
 * Why these fields are no instruction, as the end of a sentence that begins with the place; `undefined` if they are one.
 * The second slot of a 64-bit load is the decoder's business.
 */
export function whyInvalid(
  opcode: number,
  dst: number,
  src: number,
  offset: number,
  imm: number,
): string | undefined {
  let zero = ZERO_FIELDS[opcode]!;
  if (zero === UNKNOWN) return `unknown opcode 0x${opcode.toString(16).padStart(2, "0")}`;
  if (dst > BPF_REG_10) return `destination register r${dst} does not exist`;
  const name = `opcode 0x${opcode.toString(16).padStart(2, "0")}`;
  const insnClass = opcode & 0x07;
  if (insnClass === BPF_CLASS.ALU || insnClass === BPF_CLASS.ALU64) {
    if ((opcode & 0xf0) === BPF_ALU_OP.END) {
      if (imm !== 16 && imm !== 32 && imm !== 64) return `${name} swaps the bytes of 16, 32 or 64 bits, not of ${imm}`;
      zero &= ~IMM;
    } else if (offset !== 0) {
      if (!variantOffsets(opcode).includes(offset)) return `${name} has no variant with offset ${offset}`;
      zero &= ~OFFSET;
      if (opcode === OPCODE.MOV64_X && offset === ADDR_SPACE_CAST) zero &= ~IMM;
    }
  } else if (opcode === OPCODE.LD_IMM64) {
    if (src > BPF_PSEUDO.MAP_IDX_VALUE) return `64-bit load of unknown kind ${src}`;
    zero &= ~SRC;
  } else if (opcode === OPCODE.CALL) {
    if (src > BPF_PSEUDO.KFUNC_CALL) return `call of unknown kind ${src}`;
    zero &= ~SRC;
    if (src === BPF_PSEUDO.KFUNC_CALL) zero &= ~OFFSET;
  } else if (opcode === OPCODE.CALL_X) {
    if (imm < 0 || imm > BPF_REG_10) return `register r${imm} of an indirect call does not exist`;
    if (imm !== 0) zero |= DST;
  } else if (insnClass === BPF_CLASS.STX && (opcode & 0xe0) === BPF_MODE.ATOMIC) {
    const size = opcode & 0x18;
    const ordered = imm === BPF_ATOMIC_OP.LOAD_ACQ || imm === BPF_ATOMIC_OP.STORE_REL;
    if (!(ordered || ((size === BPF_SIZE.W || size === BPF_SIZE.DW) && ATOMIC_WORD_OPS.has(imm)))) {
      return `${name} has no atomic operation 0x${(imm >>> 0).toString(16)}`;
    }
    zero &= ~IMM;
  }
  if (src > BPF_REG_10) return `source register r${src} does not exist`;
  if ((zero & DST) !== 0 && dst !== 0) return `${name} has no destination register, but the field holds ${dst}`;
  if ((zero & SRC) !== 0 && src !== 0) return `${name} has no source register, but the field holds ${src}`;
  if ((zero & OFFSET) !== 0 && offset !== 0) return `${name} has no offset, but the field holds ${offset}`;
  if ((zero & IMM) !== 0 && imm !== 0) return `${name} has no immediate, but the field holds ${imm}`;
  return undefined;
}

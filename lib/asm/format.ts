/**
 * An instruction as the kernel's verifier prints it in its log: `(b7) r0 = 0`.
 *
 * Facts: what the verifier log of Linux 6.18 says (log level 2), for every form that this kernel takes; `gotox` as Linux
 * 6.19 prints it. The kernel prints no `callx`, which it refuses: that is llvm-objdump's word.
 *
 * @module
 */
import { helperName } from "../uapi/mod.ts";
import type { Instruction } from "./instruction.ts";
import { MAP, REFERENCE } from "./keys.ts";
import { BPF_ALU_OP, BPF_ATOMIC_OP, BPF_CLASS, BPF_MODE, BPF_PSEUDO, BPF_SRC, OPCODE } from "./opcode.ts";
import { isFunctionPointer, isLoadImm64 } from "./predicates.ts";
import { ADDR_SPACE_CAST } from "./validate.ts";
import { ALU_TEXT, ATOMIC_TEXT, JUMP_TEXT, SIGNED_SIZE_TEXT, SIZE_TEXT } from "./words.ts";

/** Options of {@linkcode format}. */
export interface FormatOptions {
  /** Whether the text begins with the opcode, `(b7) `; default true. */
  opcode?: boolean;
  /**
   * What the instruction refers to, in words, in the place of a number: of a call the function, of a 64-bit load the whole right side, of a
   * jump its target. Without it, or where it gives `undefined`, the text is the verifier's. {@linkcode referenceText} is one.
   */
  reference?: (insn: Instruction) => string | undefined;
}

/** The text of an instruction as the verifier prints it. */
export function format(insn: Instruction, options: FormatOptions = {}): string {
  const text = formatClass(insn, options.reference?.(insn));
  // The kernel shows an instruction that it does not know by its opcode alone.
  if (text === undefined) return `BUG_${hex8(insn.opcode)}`;
  return options.opcode ?? true ? `(${hex8(insn.opcode)}) ${text}` : text;
}

function formatClass(insn: Instruction, reference: string | undefined): string | undefined {
  switch (insn.opcode & 0x07) {
    case BPF_CLASS.ALU:
    case BPF_CLASS.ALU64:
      return formatAlu(insn);
    case BPF_CLASS.JMP:
    case BPF_CLASS.JMP32:
      return formatJump(insn, reference);
    case BPF_CLASS.LD:
      return formatLd(insn, reference);
    case BPF_CLASS.LDX:
      return formatLdx(insn);
    case BPF_CLASS.ST:
      return formatSt(insn);
    default:
      return formatStx(insn);
  }
}

function formatAlu(insn: Instruction): string | undefined {
  const { opcode, src, offset, imm } = insn;
  const wide = (opcode & 0x07) === BPF_CLASS.ALU64;
  const op = opcode & 0xf0;
  const register = wide ? "r" : "w";
  const dst = register + insn.dst;
  if (op === BPF_ALU_OP.END) {
    const swap = wide ? "bswap" : (opcode & BPF_SRC.X) === 0 ? "le" : "be";
    return `r${insn.dst} = ${swap}${imm} r${insn.dst}`;
  }
  if (op === BPF_ALU_OP.NEG) return `${dst} = -${dst}`;
  if (opcode === OPCODE.MOV64_X && offset === ADDR_SPACE_CAST) {
    return `${dst} = addr_space_cast(r${src}, ${imm >>> 16}, ${imm & 0xffff})`;
  }
  // Made by the kernel itself for per-CPU addresses.
  if (opcode === OPCODE.MOV64_X && offset === -1) return `${dst} = &(void __percpu *)(r${src})`;
  const sign = ALU_TEXT[op];
  if (sign === undefined) return undefined;
  const signed = offset === 1 && (op === BPF_ALU_OP.DIV || op === BPF_ALU_OP.MOD) ? "s" : "";
  if ((opcode & BPF_SRC.X) === 0) return `${dst} ${signed}${sign} ${imm}`;
  const cast = op === BPF_ALU_OP.MOV && (offset === 8 || offset === 16 || offset === 32) ? `(s${offset})` : "";
  return `${dst} ${signed}${sign} ${cast}${register}${src}`;
}

function formatJump(insn: Instruction, reference: string | undefined): string | undefined {
  const { opcode, dst, src, offset, imm } = insn;
  const target = reference ?? `pc${plus(opcode === OPCODE.JA32 ? imm : offset)}`;
  switch (opcode) {
    case OPCODE.CALL:
      return `call ${formatCallee(insn, reference)}`;
    case OPCODE.CALL_X:
      return `callx r${imm === 0 ? dst : imm}`;
    case OPCODE.EXIT:
      return "exit";
    case OPCODE.JA:
      return `goto ${target}`;
    case OPCODE.JA32:
      return `gotol ${target}`;
    case OPCODE.JA_X:
      return `gotox r${dst}`;
    case OPCODE.JCOND:
      return `${src === 0 ? "may_goto" : "goto_or_nop"} ${target}`;
  }
  const sign = JUMP_TEXT[opcode & 0xf0];
  if (sign === undefined) return undefined;
  const register = (opcode & 0x07) === BPF_CLASS.JMP32 ? "w" : "r";
  const right = (opcode & BPF_SRC.X) === 0 ? hex32(imm) : register + src;
  return `if ${register}${dst} ${sign} ${right} goto ${target}`;
}

function formatCallee(insn: Instruction, reference: string | undefined): string {
  switch (insn.src) {
    case BPF_PSEUDO.CALL:
      return reference ?? `pc${plus(insn.imm)}`;
    case BPF_PSEUDO.KFUNC_CALL:
      return `${reference ?? "kernel-function"}#${insn.imm}`;
    case 0: {
      const helper = helperName(insn.imm);
      return `${reference ?? (helper === undefined ? "unknown" : `bpf_${helper}`)}#${insn.imm}`;
    }
    default:
      return `${reference ?? "unknown"}#${insn.imm}`;
  }
}

function formatLd(insn: Instruction, reference: string | undefined): string | undefined {
  if (isLoadImm64(insn)) return `r${insn.dst} = ${reference ?? `0x${insn.constant.toString(16)}`}`;
  switch (insn.opcode & 0xe0) {
    case BPF_MODE.ABS:
      return `r0 = *(${size(insn)} *)skb[${insn.imm}]`;
    case BPF_MODE.IND:
      return `r0 = *(${size(insn)} *)skb[r${insn.src} + ${insn.imm}]`;
    default:
      return undefined;
  }
}

function formatLdx(insn: Instruction): string | undefined {
  const mode = insn.opcode & 0xe0;
  if (mode !== BPF_MODE.MEM && mode !== BPF_MODE.MEMSX) return undefined;
  const sizes = mode === BPF_MODE.MEM ? SIZE_TEXT : SIGNED_SIZE_TEXT;
  return `r${insn.dst} = *(${sizes[insn.opcode >> 3 & 3]} *)(r${insn.src} ${plus(insn.offset)})`;
}

function formatSt(insn: Instruction): string | undefined {
  const mode = insn.opcode & 0xe0;
  if (mode === BPF_MODE.MEM) return `*${place(insn)} = ${insn.imm}`;
  // A barrier against speculation that the kernel adds.
  return mode === BPF_MODE.ATOMIC ? "nospec" : undefined;
}

function formatStx(insn: Instruction): string | undefined {
  const { opcode, dst, src, offset, imm } = insn;
  const mode = opcode & 0xe0;
  if (mode === BPF_MODE.MEM) return `*${place(insn)} = r${src}`;
  if (mode !== BPF_MODE.ATOMIC) return undefined;
  const width = size(insn) === "u64" ? "64" : "";
  switch (imm) {
    case BPF_ATOMIC_OP.CMPXCHG:
      return `r0 = atomic${width}_cmpxchg(${place(insn)}, r0, r${src})`;
    case BPF_ATOMIC_OP.XCHG:
      return `r${src} = atomic${width}_xchg(${place(insn)}, r${src})`;
    case BPF_ATOMIC_OP.LOAD_ACQ:
      return `r${dst} = load_acquire((${size(insn)} *)(r${src} ${plus(offset)}))`;
    case BPF_ATOMIC_OP.STORE_REL:
      return `store_release(${place(insn)}, r${src})`;
  }
  const op = imm & ~BPF_ATOMIC_OP.FETCH;
  const word = ATOMIC_TEXT[op];
  if (word === undefined) return undefined;
  if (op === imm) return `lock *${place(insn)} ${ALU_TEXT[op]} r${src}`;
  return `r${src} = atomic${width}_fetch_${word}(${place(insn)}, r${src})`;
}

function size(insn: Instruction): string {
  return SIZE_TEXT[insn.opcode >> 3 & 3]!;
}

/** The memory that a store writes: `(u64 *)(r10 -8)`. */
function place(insn: Instruction): string {
  return `(${size(insn)} *)(r${insn.dst} ${plus(insn.offset)})`;
}

/** A number with its sign, also if it is 0. */
function plus(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}

function hex8(value: number): string {
  return value.toString(16).padStart(2, "0");
}

function hex32(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/**
 * What an instruction refers to by its metadata, for {@linkcode FormatOptions.reference}: a map as `map[events]`, a place in a map's
 * value as `map[a.bss][0]+8` (bpftool's words), a function or a jump's target by its name.
 */
export function referenceText(insn: Instruction): string | undefined {
  const label = insn.get(REFERENCE);
  if (label !== undefined) return isFunctionPointer(insn) ? `subprog[${label.name}]` : label.name;
  const map = insn.get(MAP);
  if (map === undefined || !isLoadImm64(insn)) return undefined;
  const value = insn.src === BPF_PSEUDO.MAP_VALUE || insn.src === BPF_PSEUDO.MAP_IDX_VALUE;
  return value ? `map[${map}][0]${plus(insn.immHigh)}` : `map[${map}]`;
}

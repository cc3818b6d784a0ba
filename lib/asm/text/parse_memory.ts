/**
 * Places in memory, and atomic operations on them.
 *
 * @module
 */
import { Instruction } from "../instruction.ts";
import { BPF_ATOMIC_OP, BPF_CLASS, BPF_MODE, BPF_SIZE } from "../opcode.ts";
import { ALU_TEXT, ATOMIC_TEXT, SIZE_TEXT } from "../words.ts";
import { offset16 } from "./numbers.ts";
import type { Statement } from "./parse_instruction.ts";
import { type Register, register64 } from "./registers.ts";
import type { Line } from "./tokens.ts";

/** A place in memory. */
export interface Place {
  /** `BPF_SIZE`. */
  readonly size: number;
  /** Number of the register that holds the address. */
  readonly register: number;
  readonly offset: number;
}

/** The `BPF_SIZE` that the next token names, which is not taken. */
export function sizeNamed(line: Line, names: readonly string[]): number | undefined {
  const index = names.indexOf(line.next.text);
  return index < 0 ? undefined : index << 3;
}

/**
 * Takes `(u64 *)(r1 +0)`, behind `prefix` if there is one.
 *
 * @param size The size, if that was taken already: then only `(r1 +0)` is.
 */
export function parsePlace(line: Line, prefix?: "*", size?: number): Place {
  if (prefix !== undefined) line.expect(prefix);
  let width = size;
  if (width === undefined) {
    line.expect("(");
    width = sizeNamed(line, SIZE_TEXT);
    if (width === undefined) throw line.expected("a size such as u32");
    line.take();
    line.expect("*", ")");
  }
  line.expect("(");
  const register = register64(line);
  const offset = offset16(line);
  line.expect(")");
  return { size: width, register, offset };
}

const LOCKED: ReadonlyMap<string, number> = new Map(
  Object.keys(ATOMIC_TEXT).map((op) => [ALU_TEXT[Number(op)]!, Number(op)]),
);
const FETCHED: ReadonlyMap<string, number> = new Map([
  ...Object.entries(ATOMIC_TEXT).map(([op, text]) => [`fetch_${text}`, Number(op) | BPF_ATOMIC_OP.FETCH] as const),
  ["xchg", BPF_ATOMIC_OP.XCHG],
  ["cmpxchg", BPF_ATOMIC_OP.CMPXCHG],
]);

/** `atomic_fetch_add`, `atomic64_xchg`, `load_acquire`. */
const ATOMIC_NAME = /^atomic(64)?_(.*)$/;

/** Whether a name is the function of an operation on memory. */
export function isMemory(name: string): boolean {
  return name === "load_acquire" || FETCHED.has(ATOMIC_NAME.exec(name)?.[2] ?? "");
}

function atomic(size: number, dst: number, src: number, offset: number, imm: number): Statement {
  return { insn: Instruction.of({ opcode: BPF_CLASS.STX | BPF_MODE.ATOMIC | size, dst, src, offset, imm }) };
}

/** Takes the rest of `lock *(u64 *)(r1 +0) += r2`. */
export function parseLock(line: Line): Statement {
  const { size, register, offset } = parsePlace(line, "*");
  const op = line.takeSign(LOCKED, "+=, |=, &= or ^=");
  return atomic(size, register, register64(line), offset, op);
}

/** Takes the right side of `r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)`: the register in the end is also the left side. */
export function parseAtomicResult(line: Line, dst: Register): Statement {
  const name = line.take();
  const [, wide, operation = ""] = ATOMIC_NAME.exec(name.text)!;
  const op = FETCHED.get(operation)!;
  line.expect("(");
  const { size, register, offset } = parsePlace(line);
  if ((size === BPF_SIZE.DW) !== (wide !== undefined)) {
    throw line.error(`${name.text} is not for this size: 32 bits have atomic_, 64 bits atomic64_`, name);
  }
  line.expect(",");
  if (op === BPF_ATOMIC_OP.CMPXCHG) line.expect("r0", ",");
  const { next } = line;
  const src = register64(line);
  const result = op === BPF_ATOMIC_OP.CMPXCHG ? 0 : src;
  if (dst.number !== result) throw line.error(`the old value goes to r${result}, not to r${dst.number}`, next);
  line.expect(")");
  return atomic(size, register, src, offset, op);
}

/** Takes the rest of `r1 = load_acquire((u64 *)(r2 +0))`, or without `dst` of `store_release((u64 *)(r1 +0), r2)`. */
export function parseOrdered(line: Line, dst: Register | undefined): Statement {
  line.expect("(");
  const { size, register, offset } = parsePlace(line);
  if (dst === undefined) {
    line.expect(",");
    const src = register64(line);
    line.expect(")");
    return atomic(size, register, src, offset, BPF_ATOMIC_OP.STORE_REL);
  }
  line.expect(")");
  return atomic(size, dst.number, register, offset, BPF_ATOMIC_OP.LOAD_ACQ);
}

/**
 * Which constants and maps the registers of a function can hold: a forward analysis over its basic blocks, just strong
 * enough to see a map and `sizeof(struct event)` reach a helper. Where two paths meet, a register can hold what it can
 * on either; what is loaded from memory, returned by a call or patched when the object is loaded is unknown.
 *
 * @module
 */
import {
  BPF_ALU_OP,
  BPF_CLASS,
  BPF_PSEUDO,
  BPF_SRC,
  type Instruction,
  isAtomic,
  isCall,
  isExit,
  isIndirectCall,
  isJump,
  isLoadImm64,
  isUnconditionalJump,
  jumpDistance,
  MAP,
} from "../asm/mod.ts";
import { CORE_RELOCATION } from "../btf/mod.ts";
import { EXTERN, JUMP_TABLE } from "./keys/mod.ts";

/** A constant (unsigned, 64 bits) or the name of a map. */
export type Atom = bigint | string;

/** All that a register can hold; `undefined` if that is unknown. */
export type RegisterValue = readonly Atom[] | undefined;

/** What the registers r0 to r10 can hold. */
export type Registers = readonly RegisterValue[];

const REGISTERS = 11;

/** A register that can hold more values than this is unknown: nobody sends so many kinds of event in one call. */
const MAX_ATOMS = 8;

const UNKNOWN: Registers = new Array<RegisterValue>(REGISTERS).fill(undefined);

/**
 * Calls `visit` for each instruction of `insns` that can be reached, with what the registers can hold before it.
 *
 * @param insns One function, before it is linked.
 */
export function visitRegisters(
  insns: readonly Instruction[],
  visit: (insn: Instruction, registers: Registers) => void,
): void {
  const blocks = new Blocks(insns);
  const entries = new Map<number, Registers>([[0, UNKNOWN]]);
  const open = insns.length === 0 ? [] : [0];
  for (let start = open.pop(); start !== undefined; start = open.pop()) {
    const { end, successors } = blocks.at(start);
    let registers = entries.get(start) ?? UNKNOWN;
    for (let i = start; i < end; i++) registers = step(insns[i]!, registers);
    for (const successor of successors) {
      const before = entries.get(successor);
      const joined = before === undefined ? registers : joinRegisters(before, registers);
      if (joined === before) continue;
      entries.set(successor, joined);
      open.push(successor);
    }
  }
  for (const [start, entry] of entries) {
    let registers = entry;
    for (let i = start; i < blocks.at(start).end; i++) {
      visit(insns[i]!, registers);
      registers = step(insns[i]!, registers);
    }
  }
}

/** A run of instructions that is entered at its start only. */
interface Block {
  /** Index behind its last instruction. */
  readonly end: number;
  /** Starts of the blocks that can follow. */
  readonly successors: readonly number[];
}

class Blocks {
  readonly #insns: readonly Instruction[];
  readonly #indexOfSlot = new Map<number, number>();
  readonly #slots: number[] = [];
  readonly #starts = new Set<number>([0]);

  constructor(insns: readonly Instruction[]) {
    this.#insns = insns;
    let slot = 0;
    insns.forEach((insn, i) => {
      this.#indexOfSlot.set(slot, i);
      this.#slots.push(slot);
      slot += insn.slots;
    });
    insns.forEach((insn, i) => {
      if (!isJump(insn) && !isExit(insn)) return;
      this.#starts.add(i + 1);
      const target = this.#target(i);
      if (target !== undefined) this.#starts.add(target);
    });
  }

  at(start: number): Block {
    let end = start + 1;
    while (end < this.#insns.length && !this.#starts.has(end)) end++;
    const last = this.#insns[end - 1]!;
    const successors: number[] = [];
    if (end < this.#insns.length && !isExit(last) && !isUnconditionalJump(last)) successors.push(end);
    const target = this.#target(end - 1);
    if (target !== undefined) successors.push(target);
    return { end, successors };
  }

  #target(index: number): number | undefined {
    const distance = jumpDistance(this.#insns[index]!);
    if (distance === undefined) return undefined;
    return this.#indexOfSlot.get(this.#slots[index]! + 1 + distance);
  }
}

/** What either can hold; `a` itself if that is all of it. */
function joinRegisters(a: Registers, b: Registers): Registers {
  let changed = false;
  const joined = a.map((value, i) => {
    const both = join(value, b[i]);
    if (both !== value) changed = true;
    return both;
  });
  return changed ? joined : a;
}

function join(a: RegisterValue, b: RegisterValue): RegisterValue {
  if (a === undefined || b === undefined) return undefined;
  const added = b.filter((atom) => !a.includes(atom));
  if (added.length === 0) return a;
  return a.length + added.length > MAX_ATOMS ? undefined : [...a, ...added];
}

/** The registers after `insn`. */
function step(insn: Instruction, before: Registers): Registers {
  const insnClass = insn.opcode & 0x07;
  // Helpers, functions and packet loads leave nothing in r0 to r5 that could be relied on.
  if (isCall(insn) || isIndirectCall(insn)) return withValues(before, [0, 1, 2, 3, 4, 5], undefined);
  if (isLoadImm64(insn)) return withValues(before, [insn.dst], loadedValue(insn));
  if (insnClass === BPF_CLASS.LD) return withValues(before, [0, 1, 2, 3, 4, 5], undefined);
  if (insnClass === BPF_CLASS.LDX) return withValues(before, [insn.dst], undefined);
  if (isAtomic(insn)) return withValues(before, [0, insn.dst, insn.src], undefined);
  if (insnClass === BPF_CLASS.ALU || insnClass === BPF_CLASS.ALU64) {
    return withValues(before, [insn.dst], computedValue(insn, before));
  }
  return before;
}

function withValues(before: Registers, indices: readonly number[], value: RegisterValue): Registers {
  if (indices.every((index) => before[index] === value)) return before;
  const after = [...before];
  for (const index of indices) after[index] = value;
  return after;
}

function isPatched(insn: Instruction): boolean {
  return insn.get(CORE_RELOCATION) !== undefined || insn.get(EXTERN) !== undefined ||
    insn.get(JUMP_TABLE) !== undefined;
}

function loadedValue(insn: Instruction): RegisterValue {
  if (isPatched(insn)) return undefined;
  const map = insn.get(MAP);
  if (map !== undefined) return insn.src === BPF_PSEUDO.MAP_FD ? [map] : undefined;
  return insn.src === 0 ? [BigInt(insn.constant)] : undefined;
}

function computedValue(insn: Instruction, before: Registers): RegisterValue {
  // An offset makes a move an extension of the sign or an address space cast, and a division a signed one.
  if (isPatched(insn) || insn.offset !== 0) return undefined;
  const bits = (insn.opcode & 0x07) === BPF_CLASS.ALU64 ? 64 : 32;
  const op = insn.opcode & 0xf0;
  const fromRegister = (insn.opcode & 0x08) === BPF_SRC.X;
  const operands = fromRegister ? before[insn.src] : [BigInt.asUintN(64, BigInt(insn.imm))];
  if (operands === undefined) return undefined;
  if (op === BPF_ALU_OP.MOV) {
    if (bits === 64) return operands;
    return combine([0n], operands, (_, b) => BigInt.asUintN(32, b));
  }
  const targets = before[insn.dst];
  if (targets === undefined) return undefined;
  return combine(targets, operands, (a, b) => arithmetic(op, a, b, bits));
}

/** The results for all pairs; unknown if one of them is, or is no number. */
function combine(
  targets: readonly Atom[],
  operands: readonly Atom[],
  operation: (a: bigint, b: bigint) => bigint | undefined,
): RegisterValue {
  let results: RegisterValue = [];
  for (const a of targets) {
    for (const b of operands) {
      const result = typeof a === "bigint" && typeof b === "bigint" ? operation(a, b) : undefined;
      if (result === undefined) return undefined;
      results = join(results, [result]);
    }
  }
  return results;
}

function arithmetic(op: number, left: bigint, right: bigint, bits: number): bigint | undefined {
  const a = BigInt.asUintN(bits, left);
  const b = BigInt.asUintN(bits, right);
  const shift = b & BigInt(bits - 1);
  switch (op) {
    case BPF_ALU_OP.ADD:
      return BigInt.asUintN(bits, a + b);
    case BPF_ALU_OP.SUB:
      return BigInt.asUintN(bits, a - b);
    case BPF_ALU_OP.MUL:
      return BigInt.asUintN(bits, a * b);
    case BPF_ALU_OP.OR:
      return a | b;
    case BPF_ALU_OP.AND:
      return a & b;
    case BPF_ALU_OP.XOR:
      return a ^ b;
    case BPF_ALU_OP.LSH:
      return BigInt.asUintN(bits, a << shift);
    case BPF_ALU_OP.RSH:
      return a >> shift;
    case BPF_ALU_OP.ARSH:
      return BigInt.asUintN(bits, BigInt.asIntN(bits, a) >> shift);
    default:
      return undefined;
  }
}

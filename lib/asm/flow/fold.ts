/**
 * Constants in registers: what is known of them at the start of each block, and which edges that leaves.
 *
 * A register holds a number, the address of a place in a map's value, or something unknown. States of all ways into a block are
 * joined: what differs is unknown. Nothing is assumed about memory but what the caller says of maps, nor about arguments,
 * results of calls and the stack, so an edge that is left out can't be gone; one that is kept may still be dead.
 *
 * @module
 */
import type { ByteOrder } from "../../bytes.ts";
import type { Instruction } from "../instruction.ts";
import { MAP } from "../keys.ts";
import { BPF_ALU_OP, BPF_ATOMIC_OP, BPF_CLASS, BPF_JMP_OP, BPF_MODE, BPF_PSEUDO, BPF_SRC, OPCODE } from "../opcode.ts";
import { isCall, isConditionalJump, isLoadImm64 } from "../predicates.ts";
import { evaluateAlu, evaluateCondition } from "./evaluate.ts";

/** What the caller knows to be constant. */
export interface FlowConstants {
  /**
   * The number in a map's only value: `sizeBytes` bytes at `offset`, without a sign; `undefined` for what may change. Only for
   * maps that programs can't write and whose contents are final, such as `.rodata`.
   */
  readonly mapValue?: (map: string, offset: number, sizeBytes: number) => bigint | undefined;
  /** Whether an instruction's number is not final, such as that of a CO-RE relocation that is yet to be applied. */
  readonly isOpen?: (insn: Instruction) => boolean;
  /** Byte order of the machine that runs the program; default `"little"`. */
  readonly order?: ByteOrder;
}

/** What a register holds; `undefined` is anything. */
type Value = { readonly number: bigint } | { readonly map: string; readonly offset: bigint } | undefined;

/** What is known of r0 to r10. */
export type RegisterState = readonly Value[];

/** Nothing is known: the start of a function. */
export const UNKNOWN_STATE: RegisterState = Array(11).fill(undefined);

function same(a: Value, b: Value): boolean {
  if (a === undefined || b === undefined) return false;
  if ("number" in a) return "number" in b && a.number === b.number;
  return "map" in b && a.map === b.map && a.offset === b.offset;
}

/** What holds whichever of two ways was gone; `before` itself if `other` adds nothing new. */
export function joinStates(before: RegisterState, other: RegisterState): RegisterState {
  if (before.every((value, i) => value === undefined || same(value, other[i]))) return before;
  return before.map((value, i) => same(value, other[i]) ? value : undefined);
}

/** Follows constants through instructions. */
export class Folding {
  readonly #constants: FlowConstants;
  readonly #order: ByteOrder;

  constructor(constants: FlowConstants) {
    this.#constants = constants;
    this.#order = constants.order ?? "little";
  }

  /** What is known after some instructions. */
  run(insns: readonly Instruction[], state: RegisterState): RegisterState {
    const registers = [...state];
    for (const insn of insns) this.#step(insn, registers);
    return registers;
  }

  /** Whether a conditional jump is taken; `undefined` if that depends. */
  decides(insn: Instruction, state: RegisterState): boolean | undefined {
    if (!isConditionalJump(insn) || insn.opcode === OPCODE.JCOND) return undefined;
    const left = state[insn.dst];
    const right = this.#operand(insn, state);
    if (left === undefined || right === undefined || !("number" in left) || !("number" in right)) return undefined;
    return evaluateCondition(insn, left.number, right.number);
  }

  /** What is known where a conditional jump was taken, or was not: `if r1 == 5` says it of r1. */
  refine(insn: Instruction, state: RegisterState, taken: boolean): RegisterState {
    const says = (insn.opcode & 0x07) === BPF_CLASS.JMP &&
      (insn.opcode & 0xf0) === (taken ? BPF_JMP_OP.JEQ : BPF_JMP_OP.JNE);
    const right = says ? this.#operand(insn, state) : undefined;
    if (right === undefined || !("number" in right)) return state;
    return state.with(insn.dst, right);
  }

  #operand(insn: Instruction, state: RegisterState): Value {
    if ((insn.opcode & BPF_SRC.X) !== 0) return state[insn.src];
    if (this.#constants.isOpen?.(insn) ?? false) return undefined;
    return { number: BigInt.asUintN(64, BigInt(insn.imm)) };
  }

  #step(insn: Instruction, registers: Value[]): void {
    if (isCall(insn) || insn.opcode === OPCODE.CALL_X) {
      registers.fill(undefined, 0, 6);
      return;
    }
    switch (insn.opcode & 0x07) {
      case BPF_CLASS.ALU:
      case BPF_CLASS.ALU64:
        registers[insn.dst] = this.#arithmetic(insn, registers);
        return;
      case BPF_CLASS.LD:
        if (isLoadImm64(insn)) registers[insn.dst] = this.#load64(insn);
        // A packet load is a call of its own.
        else registers.fill(undefined, 0, 6);
        return;
      case BPF_CLASS.LDX:
        registers[insn.dst] = this.#load(insn, registers[insn.src]);
        return;
      case BPF_CLASS.STX:
        this.#store(insn, registers);
    }
  }

  /** Atomic operations write the old value to a register. */
  #store({ opcode, dst, src, imm }: Instruction, registers: Value[]): void {
    if ((opcode & 0xe0) !== BPF_MODE.ATOMIC) return;
    if (imm === BPF_ATOMIC_OP.CMPXCHG) registers[0] = undefined;
    else if (imm === BPF_ATOMIC_OP.LOAD_ACQ) registers[dst] = undefined;
    else if ((imm & BPF_ATOMIC_OP.FETCH) !== 0) registers[src] = undefined;
  }

  #arithmetic(insn: Instruction, registers: readonly Value[]): Value {
    const op = insn.opcode & 0xf0;
    const alone = op === BPF_ALU_OP.NEG || op === BPF_ALU_OP.END;
    const right = alone ? { number: 0n } : this.#operand(insn, registers);
    const left = op === BPF_ALU_OP.MOV ? { number: 0n } : registers[insn.dst];
    if (left === undefined || right === undefined) return undefined;
    if ("number" in left && "number" in right) {
      const number = evaluateAlu(insn, left.number, right.number, this.#order);
      return number === undefined ? undefined : { number };
    }
    if ((insn.opcode & 0x07) !== BPF_CLASS.ALU64 || insn.offset !== 0) return undefined;
    if (op === BPF_ALU_OP.MOV) return right;
    if (op === BPF_ALU_OP.ADD && "map" in left && "number" in right) return moved(left, right.number);
    if (op === BPF_ALU_OP.ADD && "number" in left && "map" in right) return moved(right, left.number);
    if (op === BPF_ALU_OP.SUB && "map" in left && "number" in right) return moved(left, -right.number);
    return undefined;
  }

  #load64(insn: Instruction): Value {
    if (this.#constants.isOpen?.(insn) ?? false) return undefined;
    if (insn.src === 0) return { number: BigInt(insn.constant) };
    const map = insn.get(MAP);
    const isValue = insn.src === BPF_PSEUDO.MAP_VALUE || insn.src === BPF_PSEUDO.MAP_IDX_VALUE;
    return map === undefined || !isValue ? undefined : { map, offset: BigInt(insn.immHigh) };
  }

  #load(insn: Instruction, from: Value): Value {
    if (from === undefined || !("map" in from) || (this.#constants.isOpen?.(insn) ?? false)) return undefined;
    const sizeBytes = [4, 2, 1, 8][insn.opcode >> 3 & 3]!;
    const offset = Number(BigInt.asIntN(64, from.offset)) + insn.offset;
    const number = this.#constants.mapValue?.(from.map, offset, sizeBytes);
    if (number === undefined) return undefined;
    const signed = (insn.opcode & 0xe0) === BPF_MODE.MEMSX;
    return { number: signed ? BigInt.asUintN(64, BigInt.asIntN(sizeBytes * 8, number)) : number };
  }
}

function moved(place: { readonly map: string; readonly offset: bigint }, by: bigint): Value {
  return { map: place.map, offset: BigInt.asUintN(64, place.offset + by) };
}

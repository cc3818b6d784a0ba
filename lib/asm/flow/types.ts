/**
 * What a control-flow graph is made of.
 *
 * @module
 */
import type { Instruction } from "../instruction.ts";

/** Instructions and their control flow: what can be drawn. */
export interface FlowGraph {
  /** The stream. */
  readonly insns: readonly Instruction[];
  /** What `controlFlow()` says of it. */
  readonly flows: readonly FunctionFlow[];
}

/** How control gets from one block to another. */
export type EdgeKind = "next" | "jump" | "taken" | "indirect";

/** A way from a block to another of the same function. */
export interface FlowEdge {
  /** Index of the block that it leaves. */
  readonly from: number;
  /** Index of the block that it enters. */
  readonly to: number;
  /** `next`: goes on; `jump`: always; `taken`: where a condition holds; `indirect`: where a `gotox` may go. */
  readonly kind: EdgeKind;
  /** Whether it can be gone: false where the given constants decide the condition otherwise, or its block is dead. */
  readonly feasible: boolean;
  /** Whether it goes back to the head of a loop. */
  readonly back: boolean;
}

/** Instructions that are always run one after the other: entered at the first, left at the last. */
export interface BasicBlock {
  /** Its index among the blocks of its function. */
  readonly index: number;
  /** Index of its first instruction in the stream. */
  readonly first: number;
  /** Index behind its last instruction. */
  readonly end: number;
  /** Slot of its first instruction in the stream. */
  readonly slot: number;
  /** Whether control can get here: dead code is not. */
  readonly reachable: boolean;
  /** Edges that leave it, the one to the next block first. */
  readonly out: readonly FlowEdge[];
  /** Edges that enter it. */
  readonly in: readonly FlowEdge[];
  /** How many loops it is in. */
  readonly depth: number;
}

/** A loop: a block that dominates a way back to itself, and all that lies on such ways. */
export interface FlowLoop {
  /** Index of the block where it is entered. */
  readonly head: number;
  /** Indices of its blocks, ascending; its head is among them. */
  readonly blocks: readonly number[];
}

/** The control flow of one function. */
export interface FunctionFlow {
  /** Its name: that of the label at its first instruction, else `main` for the first function, `sub` and the slot for others. */
  readonly name: string;
  /** Index of its first instruction in the stream. */
  readonly first: number;
  /** Index behind its last instruction. */
  readonly end: number;
  /** Whether anything that is reachable calls it or takes its address; the first function always is. */
  readonly reachable: boolean;
  /** Blocks in the order of their instructions; the first is the entry. */
  readonly blocks: readonly BasicBlock[];
  /** All edges. */
  readonly edges: readonly FlowEdge[];
  /** Loops, outer ones before those inside. */
  readonly loops: readonly FlowLoop[];
  /** Whether control goes in circles that have several entries: such loops are not in `loops`. */
  readonly irreducible: boolean;
  /** Index of the function in the whole, of each function that it calls or whose address it takes from reachable code. */
  readonly calls: readonly number[];
}

/**
 * The control-flow graph of a program: functions, basic blocks, edges, loops, dead code.
 *
 * @module
 */
import { LinkError } from "../../errors.ts";
import type { Instruction } from "../instruction.ts";
import { LABEL } from "../keys.ts";
import { OPCODE } from "../opcode.ts";
import { isConditionalJump, isExit, isJump } from "../predicates.ts";
import { type FlowConstants, Folding, joinStates, type RegisterState, UNKNOWN_STATE } from "./fold.ts";
import { findLoops } from "./loops.ts";
import { Targets } from "./targets.ts";
import type { BasicBlock, EdgeKind, FlowEdge, FunctionFlow } from "./types.ts";

/** Options of {@linkcode controlFlow}. */
export interface ControlFlowOptions {
  /** With it, conditions that these constants decide are decided: edges and blocks that are left are those that remain. */
  constants?: FlowConstants;
}

/** A block while the graph is being made. */
interface Draft {
  readonly first: number;
  readonly end: number;
  /** Ways out, the next block first. */
  readonly ways: { readonly to: number; readonly kind: EdgeKind }[];
}

/**
 * The control flow of each function in `insns`: the first begins at instruction 0, others where calls and function pointers
 * go. References count before distances.
 *
 * @throws {LinkError} if a jump goes out of its function, or where no instruction starts.
 */
export function controlFlow(insns: readonly Instruction[], options: ControlFlowOptions = {}): FunctionFlow[] {
  if (insns.length === 0) return [];
  const targets = new Targets(insns);
  const starts = [...new Set([0, ...insns.flatMap((_, index) => targets.function(index) ?? [])])].sort((a, b) => a - b);
  const graphs = starts.map((first, i) => graphOf(insns, targets, first, starts[i + 1] ?? insns.length, options));
  const flows: FunctionFlow[] = graphs.map((graph, index) => {
    const { first, end, blocks, loops } = graph;
    const called = blocks.flatMap((block) => block.reachable ? range(block.first, block.end) : [])
      .flatMap((at) => targets.function(at) ?? []);
    const label = insns[first]!.get(LABEL)?.name;
    return {
      name: label ?? (index === 0 ? "main" : `sub${targets.slots[first]}`),
      first,
      end,
      reachable: false,
      blocks,
      edges: blocks.flatMap((block) => block.out),
      loops: loops.loops,
      irreducible: loops.irreducible,
      calls: [...new Set(called)].map((at) => starts.indexOf(at)),
    };
  });
  const reached = new Set([0]);
  for (const index of reached) for (const called of flows[index]!.calls) reached.add(called);
  return flows.map((flow, index) => ({ ...flow, reachable: reached.has(index) }));
}

function range(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}

function graphOf(
  insns: readonly Instruction[],
  targets: Targets,
  first: number,
  end: number,
  options: ControlFlowOptions,
): { first: number; end: number; blocks: BasicBlock[]; loops: ReturnType<typeof findLoops> } {
  const drafts = draftBlocks(insns, targets, first, end);
  const feasible = feasibleWays(insns, drafts, options.constants);
  const loops = findLoops(
    drafts.map((draft, i) => draft.ways.filter((_, w) => feasible.has(`${i} ${w}`)).map(({ to }) => to)),
  );
  const reachable = new Set([0]);
  for (const i of reachable) drafts[i]!.ways.forEach(({ to }, w) => feasible.has(`${i} ${w}`) && reachable.add(to));
  const out = drafts.map((draft, from): FlowEdge[] =>
    draft.ways.map(({ to, kind }, w) => ({
      from,
      to,
      kind,
      feasible: feasible.has(`${from} ${w}`),
      back: loops.isBack(from, to),
    }))
  );
  const into = drafts.map((): FlowEdge[] => []);
  for (const edge of out.flat()) into[edge.to]!.push(edge);
  const blocks = drafts.map((draft, index): BasicBlock => ({
    index,
    first: draft.first,
    end: draft.end,
    slot: targets.slots[draft.first]!,
    reachable: reachable.has(index),
    out: out[index]!,
    in: into[index]!,
    depth: loops.loops.filter((loop) => loop.blocks.includes(index)).length,
  }));
  return { first, end, blocks, loops };
}

/** Blocks begin at the function, at targets of jumps and behind jumps and exits. */
function draftBlocks(insns: readonly Instruction[], targets: Targets, first: number, end: number): Draft[] {
  const leaders = new Set([first]);
  const labelled: number[] = [];
  for (let index = first; index < end; index++) {
    const insn = insns[index]!;
    if (insn.get(LABEL) !== undefined) labelled.push(index);
    const target = targets.jump(index);
    if (target !== undefined) {
      if (target < first || target >= end) {
        throw new LinkError(
          `instruction ${targets.slots[index]}: jumps to instruction ${targets.slots[target]}, out of its function`,
        );
      }
      leaders.add(target);
    }
    if ((isJump(insn) || isExit(insn)) && index + 1 < end) leaders.add(index + 1);
  }
  const indirect = insns.slice(first, end).some(({ opcode }) => opcode === OPCODE.JA_X);
  if (indirect) { for (const index of labelled) leaders.add(index); }
  const starts = [...leaders].sort((a, b) => a - b);
  const blockAt = new Map(starts.map((start, i) => [start, i]));
  return starts.map((start, i): Draft => {
    const blockEnd = starts[i + 1] ?? end;
    const last = insns[blockEnd - 1]!;
    const ways: Draft["ways"] = [];
    const goesOn = !isExit(last) && (!isJump(last) || isConditionalJump(last));
    if (goesOn && blockEnd < end) ways.push({ to: i + 1, kind: "next" });
    const target = targets.jump(blockEnd - 1);
    if (target !== undefined) ways.push({ to: blockAt.get(target)!, kind: goesOn ? "taken" : "jump" });
    if (last.opcode === OPCODE.JA_X) {
      // Which of them a jump table holds is not known here: any labelled place, or any block at all if none is.
      const places = labelled.length > 0 ? labelled : starts;
      for (const place of places) ways.push({ to: blockAt.get(place)!, kind: "indirect" });
    }
    return { first: start, end: blockEnd, ways };
  });
}

/** The ways that can be gone, as `BLOCK WAY`: all that leave a reachable block, unless constants decide. */
function feasibleWays(
  insns: readonly Instruction[],
  drafts: readonly Draft[],
  constants: FlowConstants | undefined,
): Set<string> {
  const feasible = new Set<string>();
  const folding = constants === undefined ? undefined : new Folding(constants);
  const states = new Map<number, RegisterState>([[0, UNKNOWN_STATE]]);
  const open = [0];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    const draft = drafts[index]!;
    const last = insns[draft.end - 1]!;
    const state = folding?.run(insns.slice(draft.first, draft.end), states.get(index)!) ?? UNKNOWN_STATE;
    const taken = draft.ways.length === 2 ? folding?.decides(last, state) : undefined;
    draft.ways.forEach(({ to, kind }, way) => {
      if (taken !== undefined && taken !== (kind === "taken")) return;
      feasible.add(`${index} ${way}`);
      const conditional = draft.ways.length === 2 && isConditionalJump(last);
      const after = folding !== undefined && conditional ? folding.refine(last, state, kind === "taken") : state;
      const before = states.get(to);
      const joined = before === undefined ? after : joinStates(before, after);
      if (joined === before) return;
      states.set(to, joined);
      open.push(to);
    });
  }
  return feasible;
}

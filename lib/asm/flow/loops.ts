/**
 * Loops of a graph, by dominators.
 *
 * A block dominates another if every way to it from the entry goes through it. An edge to a dominator of its own source
 * closes a loop, whose blocks are those from which the source is reached without the head. Cycles without such an
 * edge have several entries (clang makes none, hand-written code may).
 *
 * Dominators are found as in Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm" (2001).
 *
 * @module
 */
import type { FlowLoop } from "./types.ts";

/** Loops, and which edges close them. */
export interface LoopForest {
  /** Outer ones before those inside. */
  readonly loops: readonly FlowLoop[];
  /** Whether the edge between two blocks closes a loop. */
  readonly isBack: (from: number, to: number) => boolean;
  /** Whether there is a cycle with several entries. */
  readonly irreducible: boolean;
}

/** Blocks that the entry (block 0) reaches, each behind all that it reaches except through cycles. */
function postOrder(successors: readonly (readonly number[])[]): number[] {
  const order: number[] = [];
  const seen = new Set([0]);
  const stack = [{ block: 0, next: 0 }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const successor = successors[top.block]![top.next++];
    if (successor === undefined) {
      order.push(top.block);
      stack.pop();
    } else if (!seen.has(successor)) {
      seen.add(successor);
      stack.push({ block: successor, next: 0 });
    }
  }
  return order;
}

/** The closest dominator of each block that is reached; the entry is its own. */
function dominators(
  order: readonly number[],
  predecessors: readonly (readonly number[])[],
): Map<number, number> {
  const number = new Map(order.map((block, i) => [block, i]));
  const closest = new Map([[0, 0]]);
  const common = (a: number, b: number): number => {
    while (a !== b) {
      while (number.get(a)! < number.get(b)!) a = closest.get(a)!;
      while (number.get(b)! < number.get(a)!) b = closest.get(b)!;
    }
    return a;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const block of order.toReversed()) {
      if (block === 0) continue;
      const known = predecessors[block]!.filter((from) => closest.has(from));
      const found = known.reduce(common);
      if (closest.get(block) !== found) {
        closest.set(block, found);
        changed = true;
      }
    }
  }
  return closest;
}

/** The loops of a graph whose entry is block 0. */
export function findLoops(successors: readonly (readonly number[])[]): LoopForest {
  const order = postOrder(successors);
  const number = new Map(order.map((block, i) => [block, i]));
  const predecessors = successors.map((): number[] => []);
  for (const block of order) for (const to of successors[block]!) predecessors[to]!.push(block);
  const closest = dominators(order, predecessors);
  const dominates = (a: number, b: number): boolean => {
    while (b !== a && b !== 0) b = closest.get(b)!;
    return b === a;
  };
  const bodies = new Map<number, Set<number>>();
  const back = new Set<string>();
  let irreducible = false;
  for (const from of order) {
    for (const to of successors[from]!) {
      // Only what goes against the order can close a cycle.
      if (number.get(to)! < number.get(from)!) continue;
      if (!dominates(to, from)) {
        irreducible = true;
        continue;
      }
      back.add(`${from} ${to}`);
      const body = bodies.get(to) ?? new Set([to]);
      bodies.set(to, body);
      const open = [from];
      for (let block = open.pop(); block !== undefined; block = open.pop()) {
        if (body.has(block)) continue;
        body.add(block);
        open.push(...predecessors[block]!);
      }
    }
  }
  const loops = [...bodies].map(([head, body]) => ({ head, blocks: [...body].sort((a, b) => a - b) }))
    .sort((a, b) => b.blocks.length - a.blocks.length || a.head - b.head);
  return { loops, isBack: (from, to) => back.has(`${from} ${to}`), irreducible };
}

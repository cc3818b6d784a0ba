/**
 * Finding functions that call themselves. The kernel bounds the stack by walking all calls, so it takes no cycle, and says
 * only that the stack is too deep. (A callback may take its own address: it is called by the kernel, not by itself.)
 *
 * @module
 */
import { isCall, type Label } from "../asm/mod.ts";
import { LinkError } from "../errors.ts";
import type { ProgramSpec } from "../spec/mod.ts";
import type { Functions, PlacedFunction } from "./layout.ts";
import { placeOf } from "./place.ts";

/** A call of one function by another. */
interface Call {
  readonly target: Label;
  /** Index of the calling instruction in its function. */
  readonly index: number;
  /** Its slot in the linked program. */
  readonly slot: number;
}

/**
 * Fails if a function of the linked program calls itself, however indirectly.
 *
 * @throws {LinkError} showing the path.
 */
export function refuseRecursion(program: ProgramSpec, placed: readonly PlacedFunction[], functions: Functions): void {
  const byLabel = new Map(placed.map((fn) => [fn.label, fn]));
  const finished = new Set<Label>();
  for (const root of placed) {
    if (finished.has(root.label)) continue;
    const path = [{ fn: root, calls: callsOf(root, functions) }];
    const onPath = new Set([root.label]);
    while (path.length > 0) {
      const { fn, calls } = path[path.length - 1]!;
      const next = calls.shift();
      if (next === undefined) {
        path.pop();
        onPath.delete(fn.label);
        finished.add(fn.label);
      } else if (onPath.has(next.target)) {
        const place = placeOf(program, fn.instructions, next.index, next.slot);
        const names = path.slice(path.findIndex((step) => step.fn.label === next.target)).map((step) =>
          step.fn.label.name
        );
        throw new LinkError(`${place}: endless recursion: ${[...names, next.target.name].join(" -> ")}`);
      } else if (!finished.has(next.target)) {
        const target = byLabel.get(next.target)!;
        path.push({ fn: target, calls: callsOf(target, functions) });
        onPath.add(next.target);
      }
    }
  }
}

/** The calls of functions that `fn` makes, each target once. */
function callsOf(fn: PlacedFunction, functions: Functions): Call[] {
  const calls = new Map<Label, Call>();
  let slot = fn.slot;
  fn.instructions.forEach((insn, index) => {
    const target = isCall(insn) ? functions.target(insn) : undefined;
    if (target !== undefined && target !== "missing" && !calls.has(target.label)) {
      calls.set(target.label, { target: target.label, index, slot });
    }
    slot += insn.slots;
  });
  return [...calls.values()];
}

/**
 * What becomes of each relocation of an object, for people: nothing stops at the first error.
 *
 * @module
 */
import type { Instruction } from "../asm/mod.ts";
import type { CoreRelocation } from "../btf/mod.ts";
import { DebpfError } from "../errors.ts";
import { AmbiguityError } from "./agreement.ts";
import { applyFixup } from "./apply_fixup.ts";
import type { CoreTarget } from "./candidates.ts";
import type { CoreExplanation } from "./explain.ts";
import type { CoreFixup } from "./fixup.ts";
import { type RelocateOptions, Relocator } from "./relocator.ts";
import { findSites, objectOrder, type Place, placeOf } from "./sites.ts";

/** A relocation, and what it comes to in the given targets. */
export interface ExplainedRelocation extends Place {
  /** The relocation. */
  readonly relocation: CoreRelocation;
  /** Index of the stream of instructions that has it. */
  readonly stream: number;
  /** The instruction as the object has it. */
  readonly before: Instruction;
  /** What takes its place: one instruction, or two calls for a poisoned 64-bit load; `undefined` if that failed. */
  readonly after: readonly Instruction[] | undefined;
  /** The result; `undefined` if the relocation is broken or ambiguous. */
  readonly fixup: CoreFixup | undefined;
  /** How it came about; `undefined` for a broken relocation, which asks nothing. */
  readonly explanation: CoreExplanation | undefined;
  /** Why the object cannot be relocated. */
  readonly error: DebpfError | undefined;
}

/**
 * Every relocation of an object explained, in the order of the instructions. The results are those of
 * {@linkcode applyAllRelocations}, but for what follows a relocation that it stops at.
 *
 * @param streams Programs and subprograms.
 * @param targets The kernel first, then its modules.
 * @param options How local type ids are found.
 */
export function explainRelocations(
  streams: readonly (readonly Instruction[])[],
  targets: readonly CoreTarget[],
  options: RelocateOptions = {},
): ExplainedRelocation[] {
  const sites = findSites(streams);
  const relocator = new Relocator(targets, options);
  const explained = new Array<ExplainedRelocation>(sites.length);
  for (const position of objectOrder(sites.map((site) => site.relocation))) {
    const { relocation, stream, index } = sites[position]!;
    const insns = streams[stream]!;
    const before = insns[index]!;
    const outcome = resolve(relocator, relocation, before);
    explained[position] = { relocation, stream, before, ...placeOf(insns, index), ...outcome };
  }
  return explained;
}

type Outcome = Pick<ExplainedRelocation, "after" | "fixup" | "explanation" | "error">;

function resolve(relocator: Relocator, relocation: CoreRelocation, insn: Instruction): Outcome {
  let fixup: CoreFixup | undefined;
  let explanation: CoreExplanation | undefined;
  try {
    fixup = relocator.resolve(relocation);
    explanation = fixup.explanation;
    return { after: applyFixup(insn, fixup), fixup, explanation, error: undefined };
  } catch (error) {
    if (error instanceof AmbiguityError) explanation = error.explanation;
    if (error instanceof DebpfError) return { after: undefined, fixup, explanation, error };
    throw error;
  }
}

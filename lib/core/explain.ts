/**
 * Why a relocation came out as it did: what the object asked for, which types could be meant, what became of each.
 *
 * @module
 */
import { BpfCoreReloKind } from "../uapi/mod.ts";
import { type CoreRelocation, essentialName, skipModifiersAndTypedefs } from "../btf/mod.ts";
import { DebpfError } from "../errors.ts";
import { describeDisagreement, type Match } from "./agreement.ts";
import type { Candidate, Targets } from "./candidates.ts";
import { describeOffset, describeType } from "./describe.ts";
import { memberNames } from "./find_member.ts";
import type { CoreFixup } from "./fixup.ts";
import { relocationKindName } from "./kinds.ts";
import { isMismatch, matchSubject } from "./match_subject.ts";
import { describeMismatch, type Mismatch, type MismatchReason } from "./mismatch.ts";
import { nearestNames } from "./nearest_names.ts";
import { describeSubject, type Subject } from "./subject.ts";

/**
 * What became of a candidate: it was `chosen`; it `agrees` with the chosen one; it is `ambiguous`, because another that
 * matches too answers otherwise; it was `ruled-out` by an earlier relocation of the same type, which only others matched;
 * its `kind-differs`, so that it was no candidate at all; it is `broken`; or the way in which it does not match.
 */
export type Verdict = "chosen" | "agrees" | "ambiguous" | "ruled-out" | "kind-differs" | "broken" | MismatchReason;

/** A type that could have been meant. */
export interface CandidateVerdict {
  /** Name of the target that has it. */
  readonly target: string;
  /** Its id in the target's BTF. */
  readonly typeId: number;
  /** The type as C text, with its flavour. */
  readonly type: string;
  /** What became of it. */
  readonly verdict: Verdict;
  /** The verdict as a sentence. */
  readonly text: string;
  /** What was found in it, as C text: `struct task_struct.__state`. */
  readonly access: string | undefined;
  /** Offset of the field's first bit, where it was found. */
  readonly offsetBits: number | undefined;
  /** Names in it that look like the one that is missing, the closest first. */
  readonly nearest: readonly string[];
}

/** Why a relocation came out as it did. */
export interface CoreExplanation {
  /** The relocation's kind: `field_byte_offset`. */
  readonly kind: string;
  /** What the object asks about, as C text: `struct task_struct.comm[3]`. */
  readonly subject: string;
  /** Offset of the field's first bit in the object's own type. */
  readonly offsetBits: number | undefined;
  /** All types of the name, those that were not taken included. */
  readonly candidates: readonly CandidateVerdict[];
  /** The candidate whose answer was taken. */
  readonly chosen: CandidateVerdict | undefined;
  /** Why the answer is what it is. */
  readonly reason: string;
  /** The whole: question, answer and reason. */
  readonly text: string;
}

/** What a fixup was made from. */
export interface Evidence {
  readonly relocation: CoreRelocation;
  readonly local: Subject;
  /** All types of the targets with the local type's name and kind. */
  readonly found: readonly Candidate[];
  /** Those of `found` that earlier relocations had left. */
  readonly considered: readonly Candidate[];
  readonly targets: Targets;
}

/** A fixup that is not explained yet. */
type Outcome = Omit<CoreFixup, "explanation">;

/** Explains a fixup, by going through the candidates once more. */
export function explain(fixup: Outcome, evidence: Evidence): CoreExplanation {
  const partial = findings(fixup.chosen, evidence);
  return { ...partial, ...summarize(partial, fixup, evidence) };
}

/** Explains why there can be no fixup: two candidates match, and answer differently. */
export function explainAmbiguity(evidence: Evidence, first: Match, second: Match): CoreExplanation {
  const partial = findings(undefined, evidence);
  const others = ({ typeId, target: name }: CandidateVerdict) => {
    const own = first.candidate;
    const { type, target } = (typeId === own.type.id && name === own.target.name ? second : first).candidate;
    return `${describeType(type)} [id ${type.id} in ${target.name}]`;
  };
  const candidates = partial.candidates.map((candidate): CandidateVerdict =>
    candidate.verdict === "agrees"
      ? { ...candidate, verdict: "ambiguous", text: `${candidate.text}, ambiguous with ${others(candidate)}` }
      : candidate
  );
  const reason = `${describeDisagreement(first, second)}; ` +
    "first ask for a field that only one of them has, which settles the type for what follows";
  return { ...partial, candidates, reason, text: `${partial.kind} of ${partial.subject} is ambiguous: ${reason}` };
}

function findings(chosen: Candidate | undefined, evidence: Evidence): Findings {
  const { relocation, local, found, targets } = evidence;
  const namesakes = targets.namesakes(relocation.type);
  const candidates = [
    ...found.map((candidate) => judge(candidate, chosen, evidence)),
    ...namesakes.map(({ target, type }) =>
      verdictOn({ target, type }, "kind-differs", `is not of the kind of the object's ${describeType(relocation.type)}`)
    ),
  ];
  return {
    kind: relocationKindName(relocation.kind),
    subject: describeSubject(local),
    offsetBits: local.family === "field" ? local.access.offsetBits : undefined,
    candidates,
    chosen: candidates.find((candidate) => candidate.verdict === "chosen"),
  };
}

function judge(
  candidate: Candidate,
  chosen: Candidate | undefined,
  { relocation, local, considered }: Evidence,
): CandidateVerdict {
  if (!considered.includes(candidate)) {
    return verdictOn(candidate, "ruled-out", "an earlier relocation of this type matched only other types of the name");
  }
  let result: Subject | Mismatch;
  try {
    result = matchSubject(local, candidate.type, relocation.kind, candidate.target.btf.pointerSize);
  } catch (error) {
    if (!(error instanceof DebpfError)) throw error;
    return verdictOn(candidate, "broken", error.message);
  }
  if (isMismatch(result)) {
    return verdictOn(candidate, result.reason, describeMismatch(result), { nearest: nearest(result) });
  }
  const access = describeSubject(result);
  const offsetBits = result.family === "field" ? result.access.offsetBits : undefined;
  const at = offsetBits === undefined ? "" : ` at offset ${describeOffset(offsetBits)}`;
  const verdict = candidate === chosen ? "chosen" : "agrees";
  return verdictOn(candidate, verdict, `${access}${at}`, { access, offsetBits });
}

function verdictOn(
  { target, type }: Candidate,
  verdict: Verdict,
  text: string,
  found: { access?: string; offsetBits?: number | undefined; nearest?: readonly string[] } = {},
): CandidateVerdict {
  return {
    target: target.name,
    typeId: type.id,
    type: describeType(type),
    verdict,
    text,
    access: found.access,
    offsetBits: found.offsetBits,
    nearest: found.nearest ?? [],
  };
}

function nearest(mismatch: Mismatch): string[] {
  switch (mismatch.reason) {
    case "no-member":
      return nearestNames(mismatch.name, memberNames(mismatch.parent));
    case "no-enumerator": {
      const type = skipModifiersAndTypedefs(mismatch.type);
      return "values" in type ? nearestNames(mismatch.name, type.values.map((value) => value.name)) : [];
    }
    default:
      return [];
  }
}

/** What is known before it is put into sentences. */
type Findings = Omit<CoreExplanation, "reason" | "text">;

/** The answer, and why it is that. */
function summarize({ kind, subject, candidates, chosen }: Findings, fixup: Outcome, evidence: Evidence): {
  readonly reason: string;
  readonly text: string;
} {
  const sentence = (answer: string, reason: string) => ({ reason, text: `${kind} of ${subject} ${answer}${reason}` });
  if (fixup.kind === BpfCoreReloKind.BPF_CORE_TYPE_ID_LOCAL) {
    return sentence(`is ${fixup.targetValue}, `, "the type's id in the BTF that is loaded");
  }
  if (chosen !== undefined) {
    const was = fixup.checked ? ` (was ${fixup.localValue})` : "";
    const reason = `${chosen.text} [id ${chosen.typeId} in ${chosen.target}]${describeWidth(fixup)}`;
    return sentence(`is ${fixup.targetValue}${was}: `, reason);
  }
  const answer = fixup.poison ? "has no answer, so the instruction must not be reached" : "is 0";
  return sentence(`${answer}: `, whyMissing(candidates, evidence));
}

function describeWidth({ width }: Outcome): string {
  if (width === undefined) return "";
  if (width.safe) return `; the access becomes one of ${width.target} bytes (was ${width.local})`;
  return `; its size changes from ${width.local} to ${width.target} bytes, so a load or store of it must not be reached ` +
    `(only pointers and unsigned integers can change their size)`;
}

function whyMissing(candidates: readonly CandidateVerdict[], { relocation: { type }, targets }: Evidence): string {
  if (candidates.length === 0) {
    // A named type's text ends in its name: the flavour is the object's own business.
    const wanted = describeType(type).slice(0, essentialName(type.name).length - type.name.length || undefined);
    const names = targets.names.join(", ");
    return names === "" ? "there is no target" : `nothing in ${names} has the name and kind of ${wanted}`;
  }
  return candidates.map(({ text, typeId, target, type, nearest, verdict }) => {
    const close = nearest.length === 0 ? "" : `, but ${nearest.map((name) => JSON.stringify(name)).join(", ")}`;
    const start = verdict === "kind-differs" ? `${type} ` : "";
    return `${start}${text}${close} [id ${typeId} in ${target}]`;
  }).join("; ");
}

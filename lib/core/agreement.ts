/**
 * Several types of a target that all could be meant, and whether that matters.
 *
 * @module
 */
import { RelocationError } from "../errors.ts";
import type { Candidate } from "./candidates.ts";
import { describeOffset, describeType } from "./describe.ts";
import type { CoreExplanation } from "./explain.ts";
import type { Subject } from "./subject.ts";
import { type RelocationValue, sameValue } from "./value.ts";

/** A candidate that has what is looked for. */
export interface Match {
  readonly candidate: Candidate;
  /** What was found in it. */
  readonly subject: Subject;
  /** The relocation's answer in it. */
  readonly value: RelocationValue;
}

/** Types of the targets that all could be meant answer a relocation differently. */
export class AmbiguityError extends RelocationError {
  /** All candidates, with what each answers. */
  readonly explanation: CoreExplanation;

  /** The message is the explanation's text. */
  constructor(explanation: CoreExplanation) {
    super(explanation.text);
    this.explanation = explanation;
  }
}

/**
 * Whether two matches answer alike. BTF of a kernel may have several types of one name, from parts of the kernel that see
 * each other's types differently; all that match must have the field at the same bit, and give the same value, or the
 * program would read garbage in one of the cases.
 */
export function agree(first: Match, second: Match): boolean {
  return offsetOf(first) === offsetOf(second) && sameValue(first.value.value, second.value.value);
}

/** What two matches that do not agree answer: `struct s [id 3 in vmlinux]: 4, but struct s [id 9 in vmlinux]: 8`. */
export function describeDisagreement(first: Match, second: Match): string {
  const sameOffset = offsetOf(first) === offsetOf(second);
  const [one, other] = [first, second].map((match) => {
    const { target, type } = match.candidate;
    const answer = sameOffset ? match.value.value : `offset ${describeOffset(offsetOf(match))}`;
    return `${describeType(type)} [id ${type.id} in ${target.name}]: ${answer}`;
  });
  return `${one}, but ${other}`;
}

function offsetOf({ subject }: Match): number {
  return subject.family === "field" ? subject.access.offsetBits : 0;
}

/**
 * Several types of a target that all could be meant, and whether that matters.
 *
 * @module
 */
import type { BpfCoreReloKind } from "../uapi/mod.ts";
import { RelocationError } from "../errors.ts";
import type { Candidate } from "./candidates.ts";
import { describeOffset, describeType } from "./describe.ts";
import { relocationKindName } from "./kinds.ts";
import { describeSubject, type Subject } from "./subject.ts";
import { type RelocationValue, sameValue } from "./value.ts";

/** A candidate that has what is looked for. */
export interface Match {
  readonly candidate: Candidate;
  /** What was found in it. */
  readonly subject: Subject;
  /** The relocation's answer in it. */
  readonly value: RelocationValue;
}

/**
 * Makes sure that two matches answer alike. BTF of a kernel may have several types of one name, from parts of the kernel
 * that see each other's types differently; all that match must have the field at the same bit, and give the same value, or
 * the program would read garbage in one of the cases.
 *
 * @throws {RelocationError} naming both, if they don't.
 */
export function assertAgreement(kind: BpfCoreReloKind, local: Subject, first: Match, second: Match): void {
  const sameOffset = offsetOf(first) === offsetOf(second);
  if (sameOffset && sameValue(first.value.value, second.value.value)) return;
  const [one, other] = [first, second].map((match) => {
    const { target, type } = match.candidate;
    const answer = sameOffset ? match.value.value : `offset ${describeOffset(offsetOf(match))}`;
    return `${describeType(type)} [id ${type.id} in ${target.name}]: ${answer}`;
  });
  throw new RelocationError(
    `${relocationKindName(kind)} of ${describeSubject(local)} is ambiguous: ${one}, but ${other}; ` +
      `first ask for a field that only one of them has, which settles the type for what follows`,
  );
}

function offsetOf({ subject }: Match): number {
  return subject.family === "field" ? subject.access.offsetBits : 0;
}

/**
 * The result of a relocation: what to do to the instruction, and why.
 *
 * @module
 */
import type { BpfCoreReloKind } from "../uapi/mod.ts";
import type { Candidate } from "./candidates.ts";
import type { CoreExplanation } from "./explain.ts";
import type { WidthChange } from "./width_change.ts";

/** What a CO-RE relocation comes to in the given targets. Equal relocations may share one. */
export interface CoreFixup {
  /** The relocation's kind. */
  readonly kind: BpfCoreReloKind;
  /** Nothing in the targets answers the question: the instruction is made one that the verifier refuses if it is reached. */
  readonly poison: boolean;
  /** The value that clang put into the instruction. */
  readonly localValue: number | bigint;
  /** Whether the instruction must hold `localValue`; clang and we may differ about bitfields, and linkers renumber types. */
  readonly checked: boolean;
  /** The value that the instruction gets; 0 if it is poisoned. */
  readonly targetValue: number | bigint;
  /** Only where the field's size in the target differs from the object's. */
  readonly width: WidthChange | undefined;
  /** The type that was taken, and its target; a `targetValue` that is a type id is an id in this target's BTF. */
  readonly chosen: Candidate | undefined;
  /** How it came about, for people; made when it is read. */
  readonly explanation: CoreExplanation;
}

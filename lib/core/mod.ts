/**
 * CO-RE: what an object's accesses to kernel types mean in another kernel. Pure functions of types; what decides is
 * libbpf's behaviour (1.8), byte for byte.
 *
 * @module
 */
export { applyFixup, BAD_RELOCATION, poisonedBy } from "./apply_fixup.ts";
export { applyAllRelocations, applyRelocations } from "./apply_relocations.ts";
export type { Candidate, CoreTarget } from "./candidates.ts";
export type { CandidateVerdict, CoreExplanation, Verdict } from "./explain.ts";
export { describeRelocation } from "./describe_relocation.ts";
export { describeType } from "./describe.ts";
export { fieldsCompatible } from "./fields_compatible.ts";
export { CORE_FIXUP, type CoreFixup } from "./fixup.ts";
export { type RelocationFamily, relocationFamily, relocationKindName } from "./kinds.ts";
export type { MismatchReason } from "./mismatch.ts";
export { relocate } from "./relocate.ts";
export { type RelocateOptions, Relocator } from "./relocator.ts";
export { typesCompatible } from "./types_compatible.ts";
export { typesMatch } from "./types_match.ts";
export type { WidthChange } from "./width_change.ts";

/**
 * CO-RE: what an object's accesses to kernel types mean in another kernel. Pure functions of types; what decides is
 * libbpf's behaviour (1.8), byte for byte.
 *
 * @module
 */
export { applyFixup } from "./apply_fixup.ts";
export { applyAllRelocations, applyRelocations } from "./apply_relocations.ts";
export { AmbiguityError } from "./agreement.ts";
export type { Candidate, CoreTarget, SkippedTarget } from "./candidates.ts";
export type { CandidateVerdict, CoreExplanation, Verdict } from "./explain.ts";
export { describeRelocation } from "./describe_relocation.ts";
export { describeOffset, describeType } from "./describe.ts";
export { type ExplainedRelocation, explainRelocations } from "./explain_relocations.ts";
export { fieldsCompatible } from "./fields_compatible.ts";
export type { CoreFixup } from "./fixup.ts";
export { type RelocationFamily, relocationFamily, relocationKindName } from "./kinds.ts";
export { minimalBtf, type MinimalBtfOptions } from "./minimal_btf.ts";
export type { MismatchReason } from "./mismatch.ts";
export * from "./poison/mod.ts";
export { nearestNames } from "./nearest_names.ts";
export { relocate } from "./relocate.ts";
export { type RelocateOptions, Relocator } from "./relocator.ts";
export { type Place, relocationLabel } from "./sites.ts";
export { typesCompatible } from "./types_compatible.ts";
export { typesMatch } from "./types_match.ts";
export type { WidthChange } from "./width_change.ts";

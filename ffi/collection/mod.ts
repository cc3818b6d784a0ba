/**
 * Loaded objects.
 *
 * @module
 */
export type { AttachProgramsOptions } from "./attach_programs.ts";
export type { AttachTo, ProgramFunction } from "./attach_target.ts";
export { attachTargetId } from "./check_target.ts";
export type { ChoiceOptions, SkippedProgram } from "./choices.ts";
export { type AttachOptions, Collection, type EventOptions } from "./collection.ts";
export { type EventValue, type TypeChooser, type TypedEvent } from "./event_decoder.ts";
export type { LoadOptions } from "./load.ts";
export type { MapOptions } from "./make_maps.ts";
export { openCollectionSpec } from "./open.ts";
export { Variable } from "./variable.ts";

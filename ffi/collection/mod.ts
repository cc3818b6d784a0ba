/**
 * Loaded objects.
 *
 * @module
 */
export { type AttachOptions, Collection, type EventOptions } from "./collection.ts";
export { type EventValue, type TypedEvent } from "./event_decoder.ts";
export type { LoadOptions } from "./load.ts";
export type { MapOptions } from "./make_maps.ts";
export { openCollectionSpec } from "./open.ts";
export { Variable } from "./variable.ts";

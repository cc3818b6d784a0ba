/**
 * From an object file to a {@linkcode CollectionSpec}: the sections, map definitions, global data and relocations that
 * clang emits, as plain data and instructions with metadata.
 *
 * @module
 */
export { arenaOffset } from "./arena.ts";
export { dataMapKernelName, dataMapName, objectName } from "./data_maps.ts";
export { DeclTags } from "./decl_tags.ts";
export { findLostCounters, type LostCounter } from "./event_losses.ts";
export { type EventTypes, type EventTypeSource, findEventTypes, type FindEventTypesOptions } from "./event_types.ts";
export { EXTERN, FUNC_TAGS, JUMP_TABLE, type JumpTable } from "./keys/mod.ts";
export { type ReadCollectionOptions, readCollectionSpec } from "./read_collection.ts";
export { type SectionMeaning, sectionMeaning } from "./section_name.ts";
export type { DataKind } from "./sections.ts";
export type * from "./types.ts";

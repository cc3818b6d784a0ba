/**
 * From programs and functions to linked programs: joining arrays of instructions, resolving what they refer to, and
 * doing so for a whole collection against one kernel.
 *
 * @module
 */
export { bindMaps } from "./bind_maps.ts";
export type { MapTypeIds } from "./collection_types.ts";
export { hasCoreRelocations } from "./core_relocations.ts";
export * from "./externs/mod.ts";
export * from "./markers/mod.ts";
export type { KernelFeature, MissingFeatures } from "./kernel_features.ts";
export { bindJumpTables, JUMP_TABLE_MAP, jumpTableMap, type LinkedJumpTable } from "./jump_tables.ts";
export { linkProgram } from "./link_program.ts";
export {
  relocateCollection,
  type RelocateCollectionOptions,
  type RelocatedCollection,
  type RelocatedProgram,
} from "./relocate_collection.ts";
export { hasStructOps, type StructOpsImage, type StructOpsMember } from "./struct_ops.ts";

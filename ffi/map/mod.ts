/**
 * Live maps and their memory.
 *
 * @module
 */
export type { MapMemory } from "./arena_memory.ts";
export { checkFit } from "./check_fit.ts";
export type { KernelType, MapCreateOptions } from "./create_map.ts";
export { type ElementCodec, type HasFd, perCpuCodec, rawCodec } from "./element_codec.ts";
export type { LookupFlags, LookupOptions, UpdateFlags, UpdateMode, UpdateOptions } from "./flags.ts";
export { BpfMap, type MapCodecs, type ValueReader } from "./map.ts";
export { MapView } from "./view.ts";

/**
 * BTF: types, reading them from bytes, building them, `.BTF.ext`, and values of BTF types.
 *
 * @module
 */
export { Btf, type BtfOptions } from "./btf.ts";
export * from "./builder/mod.ts";
export { essentialName } from "./essential_name.ts";
export * from "./ext_info/mod.ts";
export { openBtf } from "./open_btf.ts";
export { relocateBase } from "./relocate_base.ts";
export * from "./resolve.ts";
export type * from "./types.ts";
export * from "./value/mod.ts";

/**
 * Reading types and nothing else: for commands that are over before values, builders and `.BTF.ext` would be loaded.
 *
 * @module
 */
export { Btf, type BtfOptions } from "../btf.ts";
export * from "../resolve.ts";
export type * from "../types.ts";

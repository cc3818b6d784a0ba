/**
 * `.BTF.ext`: functions, source lines and CO-RE relocations of instructions.
 *
 * @module
 */
export * from "./ext_infos.ts";
export * from "./kernel_infos.ts";
export * from "./marshal.ts";
export * from "./types.ts";

/**
 * Making one BTF of many, each type once.
 *
 * @module
 */
export * from "./btf_merger.ts";
export * from "./ext_infos_merger.ts";

/**
 * Building BTF.
 *
 * @module
 */
export * from "./btf_builder.ts";

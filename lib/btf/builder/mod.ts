/**
 * Building BTF.
 *
 * @module
 */
export * from "./btf_builder.ts";
export * from "./feature_probe.ts";
export * from "./int_type.ts";
export * from "./sanitize.ts";

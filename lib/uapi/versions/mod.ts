/**
 * Which kernel brought what: helpers, kfuncs, types of programs, maps and attachments.
 *
 * @module
 */
export * from "./kernel_versions.ts";

/**
 * What tests share: what they need of a machine, where things are, other processes.
 *
 * @module
 */
export * from "./needs.ts";
export * from "./paths.ts";
export * from "./process.ts";
export * from "./shows.ts";

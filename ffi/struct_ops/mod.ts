/**
 * Kernel structs of functions that programs implement: registering and unregistering them.
 *
 * @module
 */
export { StructOps, unregisterStructOps } from "./struct_ops.ts";

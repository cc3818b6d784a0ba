/**
 * Joining collections in memory: the functions of one called from the programs of another.
 *
 * @module
 */
export { withFunctions } from "./with_functions.ts";

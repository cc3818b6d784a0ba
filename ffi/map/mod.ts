/**
 * Live maps and mapped global data.
 *
 * @module
 */
export { BpfMap, type MapCreateOptions } from "./map.ts";

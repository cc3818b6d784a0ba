/**
 * The static linker: many objects into one.
 *
 * @module
 */
export type { ObjectFile } from "./input_object.ts";
export { linkObjects } from "./link_objects.ts";

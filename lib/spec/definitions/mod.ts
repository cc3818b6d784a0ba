/**
 * Definitions of maps by themselves, without the object that they are in: what a linker compares.
 *
 * @module
 */
export { type MapPlace, readMapDefinition } from "../map_definition.ts";

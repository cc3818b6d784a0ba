/**
 * Programs as text that can be read again.
 *
 * @module
 */
export { assemble, type AssembleOptions } from "./assemble.ts";
export { print, type PrintOptions } from "./print.ts";

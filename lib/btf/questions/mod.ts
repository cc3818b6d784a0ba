/**
 * Questions about types: who uses one, where a field is, what changed.
 *
 * @module
 */
export { formatDeclaration } from "./declaration.ts";
export * from "./diff.ts";
export * from "./field_path.ts";
export type { NameSort } from "./name_classes.ts";
export * from "./users.ts";

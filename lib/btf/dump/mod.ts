/**
 * BTF as text: C, raw records, JSON, TypeScript.
 *
 * @module
 */
export { type CDumpOptions, formatC, writeC } from "./c.ts";
export { formatRaw, type RawDumpOptions, writeRaw } from "./raw.ts";
export type { TextSink } from "./text_buffer.ts";
export { formatTypeScript, type TypeScriptDumpOptions } from "./ts.ts";

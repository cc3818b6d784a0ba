/**
 * Attaching programs: each function makes a {@linkcode Link}.
 *
 * @module
 */
export { Link, type LinkParts } from "./link.ts";
export { attachRawTracepoint, attachTracing } from "./raw_tracepoint.ts";
export { attachTracepoint } from "./tracepoint.ts";
export { attachProgram } from "./attach_program.ts";
export type { Attacher, Attachers } from "./attacher.ts";

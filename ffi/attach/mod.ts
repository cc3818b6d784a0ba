/**
 * Attaching programs: each function makes a {@linkcode Link}.
 *
 * @module
 */
export { Link, type LinkKind } from "./link.ts";
export { attachRawTracepoint, attachTracing } from "./raw_tracepoint.ts";
export { attachTracepoint } from "./tracepoint.ts";
export { attachProgram } from "./attach_program.ts";

/**
 * What attaches programs to kernel functions and tracepoints.
 *
 * @module
 */
import type { Attachers } from "./attacher.ts";
import { attachRawTracepoint, attachTracing } from "./raw_tracepoint.ts";
import { attachTracepoint } from "./tracepoint.ts";

/** By kind. */
export const KERNEL_ATTACHERS: Attachers = {
  tracepoint: (program, spec) => attachTracepoint(program, spec.attachTo),
  raw_tracepoint: (program, spec) => attachRawTracepoint(program, spec.attachTo),
  trace: (program, spec) => attachTracing(program, spec.attachTo),
};

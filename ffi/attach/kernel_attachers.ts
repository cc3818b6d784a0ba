/**
 * What attaches programs to kernel functions, tracepoints and iterators.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import type { Attachers } from "./attacher.ts";
import { attachFreplace } from "./freplace.ts";
import { attachIter } from "./iter.ts";
import { attachKprobe } from "./kprobe.ts";
import { attachKprobeMulti } from "./kprobe_multi.ts";
import { attachKsyscall } from "./ksyscall.ts";
import { attachRawTracepoint } from "./raw_tracepoint.ts";
import { attachTracepoint } from "./tracepoint.ts";
import { attachTracing } from "./tracing.ts";
import { attachTracingMulti } from "./tracing_multi.ts";

/** By kind. */
export const KERNEL_ATTACHERS: Attachers = {
  kprobe: (program, { attachTo }, options) => attachKprobe(program, { function: attachTo, ...options }),
  kretprobe: (program, { attachTo }, options) =>
    attachKprobe(program, { function: attachTo, retprobe: true, ...options }),
  ksyscall: (program, { attachTo }, options) => attachKsyscall(program, { syscall: attachTo, ...options }),
  kretsyscall: (program, { attachTo }, options) =>
    attachKsyscall(program, { syscall: attachTo, retprobe: true, ...options }),
  kprobe_multi: (program, { attachTo }, { cookie }) =>
    attachKprobeMulti(program, { pattern: attachTo, cookieOf: same(cookie) }),
  kretprobe_multi: (program, { attachTo }, { cookie }) =>
    attachKprobeMulti(program, { pattern: attachTo, retprobe: true, cookieOf: same(cookie) }),
  kprobe_session: (program, { attachTo }, { cookie }) =>
    attachKprobeMulti(program, { pattern: attachTo, cookieOf: same(cookie) }),
  tracepoint: (program, { attachTo }, options) => attachTracepoint(program, attachTo, options),
  raw_tracepoint: (program, { attachTo }, options) => attachRawTracepoint(program, attachTo, options),
  trace: (program, { attachTo }, options) => attachTracing(program, attachTo, options),
  trace_multi: (program, { attachTo }, { cookie }) =>
    attachTracingMulti(program, { pattern: attachTo, cookieOf: same(cookie) }),
  lsm: (program, { attachTo }, options) => attachTracing(program, attachTo, { kind: "lsm", ...options }),
  lsm_cgroup: (program) => {
    throw new UnsupportedError(
      "attaching lsm_cgroup programs by section name",
      `program "${program.name}": say the cgroup: attachLsmCgroup(program, cgroup)`,
    );
  },
  freplace: (program, { attachTo }) => attachFreplace(program, { name: attachTo }),
  iter: (program) => attachIter(program),
};

/** One cookie for all functions that match. */
function same(cookie: bigint | undefined): (() => bigint) | undefined {
  return cookie === undefined || cookie === 0n ? undefined : () => cookie;
}

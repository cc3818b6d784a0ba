/**
 * Tracepoints (`SEC("tp/CATEGORY/NAME")`) by way of a perf event.
 *
 * @module
 */
import { PerfType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { Link } from "./link.ts";
import { linkPerfEvent } from "./perf_link.ts";
import { tracefsWith } from "./tracefs.ts";

/** What {@linkcode attachTracepoint} takes. */
export interface AttachTracepointOptions {
  /** What `bpf_get_attach_cookie()` gives the program (5.15). */
  readonly cookie?: bigint | undefined;
}

/**
 * Attaches to the tracepoint `category/name` (`sched/sched_process_exec`).
 *
 * @throws {Error} if there is no such tracepoint.
 * @throws {UnsupportedError} if tracefs is not mounted, or there is a cookie and this kernel has none for tracepoints.
 */
export function attachTracepoint(program: BpfProgram, target: string, options: AttachTracepointOptions = {}): Link {
  using cleanup = new DisposableStack();
  const event = cleanup.use(openEvent(program, target));
  const link = linkPerfEvent(program, event, options.cookie);
  cleanup.move();
  const links = link === undefined ? [] : [link];
  return new Link({ kind: "tracepoint", target, program: program.name, fds: [event, ...links], links });
}

function openEvent(program: BpfProgram, target: string): sys.Fd {
  const id = tracepointId(program.name, target);
  // Tracepoint programs run for all processes on all CPUs, whichever the event names: kernel/events/core.c.
  return sys.perfEventOpen({ type: PerfType.PERF_TYPE_TRACEPOINT, config: id }, { pid: -1, cpu: 0 });
}

function tracepointId(program: string, target: string): number {
  const place = `program "${program}"`;
  if (!/^[^/.]+\/[^/.]+$/.test(target)) {
    throw new Error(`${place}: a tracepoint is named CATEGORY/NAME (sched/sched_process_exec), not "${target}"`);
  }
  const root = tracefsWith("events", place, "tracepoints are looked up");
  const path = `${root}/events/${target}/id`;
  if (!sys.exists(path)) throw new Error(`${place}: this kernel has no tracepoint "${target}" (${path})`);
  return Number(sys.readTextFile(path).trim());
}

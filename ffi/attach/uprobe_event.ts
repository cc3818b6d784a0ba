/**
 * Perf events of probes in user programs: made by perf_event_open(2) itself since Linux 4.17, by tracefs before.
 *
 * Source: kernel/events/core.c (`perf_uprobe`), Documentation/trace/uprobetracer.rst.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import { PerfType } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";
import { TracefsEvent } from "./tracefs_event.ts";

/** Where the kernel describes the perf PMU that makes probes. */
const PMU = "/sys/bus/event_source/devices/uprobe";

/** A probe in a user program. */
export interface UprobeLocation {
  /** The file. */
  readonly path: string;
  /** Where in the file, in bytes. */
  readonly offset: number;
  /** Where in the file a counter of those who watch is, in bytes; 0 for none. */
  readonly refCtrOffset: number;
  /** Not where it is called, but where it returns. */
  readonly retprobe: boolean;
  /** Only this process; -1 for all. */
  readonly pid: number;
}

/** A probe's perf event. */
export interface UprobeEvent {
  /** The event. */
  readonly fd: sys.Fd;
  /** What it was made of where that outlives it: to be removed after it is closed. */
  readonly tracefs: TracefsEvent | undefined;
}

/**
 * Opens a perf event that counts hits of a probe.
 *
 * @param probe Where.
 * @param mode By which means; by default the PMU, if there is one.
 * @param cleanup Gets what is opened.
 * @throws {sys.SyscallError} if the kernel refuses it.
 * @throws {UnsupportedError} if this kernel cannot make such probes.
 */
export function openUprobeEvent(
  probe: UprobeLocation,
  mode: "perf" | "tracefs" | undefined,
  cleanup: DisposableStack,
): UprobeEvent {
  const type = mode === "tracefs" ? undefined : readNumber(`${PMU}/type`);
  if (type === undefined && mode === "perf") {
    throw new UnsupportedError("uprobes by perf", "this kernel has no uprobe PMU: Linux 4.17 has", { since: "4.17" });
  }
  if (type !== undefined) return { fd: cleanup.use(openByPmu(probe, type)), tracefs: undefined };
  const tracefs = cleanup.use(openByTracefs(probe));
  const fd = sys.perfEventOpen({ type: PerfType.PERF_TYPE_TRACEPOINT, config: tracefs.id }, target(probe.pid));
  return { fd: cleanup.use(fd), tracefs };
}

/** All processes are watched on any one CPU: the event's CPU does not limit probes. */
function target(pid: number): sys.PerfEventTarget {
  return pid < 0 ? { pid: -1, cpu: 0 } : { pid, cpu: -1 };
}

function openByPmu(probe: UprobeLocation, type: number): sys.Fd {
  const { path, offset, refCtrOffset, retprobe, pid } = probe;
  let config = 0n;
  if (retprobe) config |= 1n << BigInt(readNumber(`${PMU}/format/retprobe`) ?? 0);
  if (refCtrOffset !== 0) {
    // "config:32-63"
    const bit = readNumber(`${PMU}/format/ref_ctr_offset`);
    if (bit === undefined) throw noCounters();
    config |= BigInt(refCtrOffset) << BigInt(bit);
  }
  return sys.perfEventOpen({ type, config, uprobePath: path, probeOffset: offset }, target(pid));
}

function noCounters(): UnsupportedError {
  return new UnsupportedError(
    "counters of probes",
    "this kernel cannot count in a program's memory that a probe is watched (USDT semaphores): Linux 4.20 can",
    { since: "4.20" },
  );
}

function openByTracefs(probe: UprobeLocation): TracefsEvent {
  const { path, offset, refCtrOffset, retprobe } = probe;
  if (/\s/.test(path)) {
    throw new UnsupportedError("probes in such paths", `"${path}": tracefs cannot put probes in paths with spaces`);
  }
  const counter = refCtrOffset === 0 ? "" : `(0x${refCtrOffset.toString(16)})`;
  return TracefsEvent.add("uprobe", retprobe ? "r" : "p", `${path}:0x${offset.toString(16)}${counter}`);
}

/** The first number of a file of sysfs; `undefined` if this kernel has no such file. */
function readNumber(path: string): number | undefined {
  let text: string;
  try {
    text = sys.readTextFile(path);
  } catch (error) {
    if (error instanceof sys.SyscallError && error.code === "ENOENT") return undefined;
    throw error;
  }
  return Number(/\d+/.exec(text)?.[0] ?? NaN);
}

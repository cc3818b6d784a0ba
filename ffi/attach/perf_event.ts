/**
 * Programs that run on samples of perf events (`SEC("perf_event")`): every so many events or so often a second, on each CPU.
 *
 * @module
 */
import { PerfFlag } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { Link } from "./link.ts";
import { namedPerfEvent, type PerfCounter, type PerfEventName } from "./perf_counter.ts";
import { linkPerfEvent } from "./perf_link.ts";
import { watchedPid } from "./uprobe.ts";

/** What {@linkcode attachPerfEvent} samples; one of `period` and `frequency` is given. */
export interface AttachPerfEventOptions {
  /** What is counted: a name as perf(1) has it, or `type` and `config` as the kernel has them. */
  readonly event: PerfEventName | PerfCounter;
  /** A sample every so many events; of clocks, every so many ns. */
  readonly period?: number | bigint | undefined;
  /** Samples a second; the kernel finds the period. */
  readonly frequency?: number | undefined;
  /** Only this process, all threads that it has now, 0 for the calling process; all processes by default. */
  readonly pid?: number | undefined;
  /** Threads and children that the process starts later are sampled too. */
  readonly inherit?: boolean | undefined;
  /** Only these CPUs; by default all that run. A process is followed from CPU to CPU. */
  readonly cpus?: readonly number[] | undefined;
  /** Only processes of this cgroup: its folder, in cgroup2 or in the hierarchy of the controller perf_event. */
  readonly cgroup?: string | undefined;
  /** Not while the CPU runs the kernel. */
  readonly excludeKernel?: boolean | undefined;
  /** Not while the CPU runs a process' own code. */
  readonly excludeUser?: boolean | undefined;
  /** What `bpf_get_attach_cookie()` gives the program (5.15). */
  readonly cookie?: bigint | undefined;
}

/**
 * Lets a program run on samples of a perf event. The events of all CPUs are one {@linkcode Link}.
 *
 * @param program A program of type perf_event.
 * @param options What is sampled: `{ event: "cpu-clock", frequency: 99 }`.
 * @throws {TypeError} if the options contradict each other.
 * @throws {sys.SyscallError} if the kernel refuses it: code `ENOENT` if this machine has no such counter.
 */
export function attachPerfEvent(program: BpfProgram, options: AttachPerfEventOptions): Link {
  const { event, cookie, cgroup } = options;
  const place = `program "${program.name}"`;
  const counter = typeof event === "string" ? namedPerfEvent(event, place) : event;
  const name = typeof event === "string" ? event : `${event.type}:${event.config}`;
  const attr: sys.PerfEventAttr = {
    ...counter,
    ...rate(options, place),
    inherit: options.inherit,
    excludeKernel: options.excludeKernel,
    excludeUser: options.excludeUser,
  };
  using cleanup = new DisposableStack();
  const folder = cgroup === undefined ? undefined : cleanup.use(openCgroup(cgroup, place));
  const held: sys.Fd[] = [];
  const links: sys.Fd[] = [];
  let gone: Error | undefined;
  for (const target of targets(options, folder?.value, place)) {
    const opened = open(attr, target, `${place}: perf event "${name}"${onCpu(target.cpu)}`, options);
    if (opened instanceof Error) {
      gone = opened;
      continue;
    }
    const fd = cleanup.use(opened);
    const link = linkPerfEvent(program, fd, cookie);
    held.push(fd);
    if (link === undefined) continue;
    held.push(cleanup.use(link));
    links.push(link);
  }
  if (gone !== undefined && held.length === 0) throw gone;
  cleanup.move();
  // The kernel holds the cgroup itself.
  folder?.close();
  return new Link({ kind: "perf_event", target: describe(name, options), program: program.name, fds: held, links });
}

function describe(name: string, { pid, cgroup }: AttachPerfEventOptions): string {
  const who = cgroup !== undefined ? ` of cgroup ${cgroup}` : pid !== undefined ? ` of process ${watchedPid(pid)}` : "";
  return `${name}${who}`;
}

function onCpu(cpu: number | undefined): string {
  return cpu === undefined || cpu < 0 ? "" : ` on CPU ${cpu}`;
}

/** Period or frequency share a field. */
function rate(
  { period, frequency }: AttachPerfEventOptions,
  place: string,
): Pick<sys.PerfEventAttr, "samplePeriod" | "sampleFreq" | "freq"> {
  if ((period === undefined) === (frequency === undefined)) {
    throw new TypeError(`${place}: give either the period of samples or their frequency`);
  }
  const value = period ?? frequency ?? 0;
  // Without a period the kernel only counts, and no program runs.
  if (value <= 0) throw new TypeError(`${place}: the ${period === undefined ? "frequency" : "period"} is ${value}`);
  return period !== undefined ? { samplePeriod: period } : { sampleFreq: frequency, freq: true };
}

function targets(options: AttachPerfEventOptions, cgroup: number | undefined, place: string): sys.PerfEventTarget[] {
  const { pid, cpus } = options;
  if (pid !== undefined && cgroup !== undefined) throw new TypeError(`${place}: give a process or a cgroup, not both`);
  if (cpus?.length === 0) throw new TypeError(`${place}: there is no CPU in the list of CPUs`);
  if (pid !== undefined && pid >= 0) {
    return threadsOf(watchedPid(pid)).flatMap((thread) => (cpus ?? [-1]).map((cpu) => ({ pid: thread, cpu })));
  }
  const flags = cgroup === undefined ? 0 : PerfFlag.PERF_FLAG_PID_CGROUP;
  return (cpus ?? sys.onlineCpus()).map((cpu) => ({ pid: cgroup ?? -1, cpu, flags }));
}

/** The kernel counts threads; of a process that is not there it says so itself. */
function threadsOf(pid: number): number[] {
  try {
    return sys.readDir(`/proc/${pid}/task`).map(({ name }) => Number(name));
  } catch (error) {
    if (error instanceof sys.SyscallError && error.code === "ENOENT") return [pid];
    throw error;
  }
}

function openCgroup(path: string, place: string): sys.Fd {
  try {
    return sys.open(path);
  } catch (error) {
    throw error instanceof sys.SyscallError ? error.at(`${place}: cgroup "${path}"`) : error;
  }
}

/** The event; the error, if the thread is gone. */
function open(
  attr: sys.PerfEventAttr,
  target: sys.PerfEventTarget,
  place: string,
  { pid, cgroup }: AttachPerfEventOptions,
): sys.Fd | Error {
  try {
    return sys.perfEventOpen(attr, target);
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    if (error.code === "ESRCH") return new Error(`${place}: there is no process ${pid}`, { cause: error });
    if (cgroup !== undefined && (error.code === "EBADF" || error.code === "EINVAL")) {
      throw new Error(`${place}: "${cgroup}" is no folder of a cgroup whose processes can be sampled`, {
        cause: error,
      });
    }
    if (cgroup !== undefined && error.code === "ENOENT") {
      const hierarchy = "the controller perf_event is in another hierarchy";
      throw new Error(`${place}: this machine has no such event, or none for "${cgroup}": ${hierarchy}`, {
        cause: error,
      });
    }
    throw error.at(place);
  }
}

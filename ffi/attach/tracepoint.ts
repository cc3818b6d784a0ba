/**
 * Tracepoints (`SEC("tp/CATEGORY/NAME")`) by way of a perf event: a BPF link since 5.15, an ioctl on the event before.
 *
 * @module
 */
import { BpfAttachType, PerfType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { Link } from "./link.ts";

const TRACEFS = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/**
 * Attaches to the tracepoint `category/name` (`sched/sched_process_exec`).
 *
 * @throws {Error} if there is no such tracepoint or tracefs is not mounted.
 */
export function attachTracepoint(program: BpfProgram, target: string): Link {
  using cleanup = new DisposableStack();
  const event = cleanup.use(openEvent(program, target));
  const link = createLink(program, event);
  cleanup.move();
  const links = link === undefined ? [] : [link];
  return new Link({ kind: "tracepoint", target, program: program.name, fds: [event, ...links], links });
}

function openEvent(program: BpfProgram, target: string): sys.Fd {
  const id = tracepointId(program.name, target);
  // Tracepoint programs run for all processes on all CPUs, whichever the event names: kernel/events/core.c.
  return sys.perfEventOpen({ type: PerfType.PERF_TYPE_TRACEPOINT, config: id }, { pid: -1, cpu: 0 });
}

/** The link, or `undefined` where the program was attached to the event itself. */
function createLink(program: BpfProgram, event: sys.Fd): sys.Fd | undefined {
  try {
    return sys.linkCreate({ progFd: program.fd, targetFd: event.value, attachType: BpfAttachType.BPF_PERF_EVENT });
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || error.code !== "EINVAL") throw error;
    sys.perfEventSetBpf(event.value, program.fd);
    sys.perfEventEnable(event.value);
    return undefined;
  }
}

function tracepointId(program: string, target: string): number {
  const place = `program "${program}"`;
  if (!/^[^/.]+\/[^/.]+$/.test(target)) {
    throw new Error(`${place}: a tracepoint is named CATEGORY/NAME (sched/sched_process_exec), not "${target}"`);
  }
  const root = TRACEFS.find((path) => sys.exists(`${path}/events`));
  if (root === undefined) {
    throw new Error(
      `${place}: tracepoints are looked up in tracefs, which is not mounted or not readable: mount -t tracefs nodev ${
        TRACEFS[0]
      }`,
    );
  }
  const path = `${root}/events/${target}/id`;
  if (!sys.exists(path)) throw new Error(`${place}: this kernel has no tracepoint "${target}" (${path})`);
  return Number(sys.readTextFile(path).trim());
}

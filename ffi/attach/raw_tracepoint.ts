/**
 * Raw tracepoints (`SEC("raw_tp/NAME")`, 4.17) and BTF-typed ones (`SEC("tp_btf/NAME")`, 5.5).
 *
 * @module
 */
import type { BpfAttachType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { Link } from "./link.ts";

/** Attaches to a raw tracepoint by its name: `sched_process_exec`. */
export function attachRawTracepoint(program: BpfProgram, name: string): Link {
  try {
    const fd = sys.rawTracepointOpen({ progFd: program.fd, name });
    return new Link({ kind: "raw_tracepoint", target: name, program: program.name, fds: [fd], links: [fd] });
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || error.code !== "ENOENT") throw error;
    throw new Error(`program "${program.name}": this kernel has no raw tracepoint "${name}"`, { cause: error });
  }
}

/**
 * Attaches a program that was loaded for a kernel type or function (`attachBtfId`) to just that.
 *
 * `BPF_LINK_CREATE` takes such programs since 5.19; before, they go by `BPF_RAW_TRACEPOINT_OPEN` without a name.
 *
 * @param target What to call the target in messages.
 */
export function attachTracing(program: BpfProgram, target: string): Link {
  const fd = openTracing(program);
  return new Link({ kind: "trace", target, program: program.name, fds: [fd], links: [fd] });
}

function openTracing(program: BpfProgram): sys.Fd {
  const attachType = program.image.expectedAttachType as BpfAttachType;
  try {
    return sys.linkCreate({ progFd: program.fd, attachType });
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || error.code !== "EINVAL") throw error;
    return sys.rawTracepointOpen({ progFd: program.fd });
  }
}

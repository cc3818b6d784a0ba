/**
 * Kind, target and program of a link that somebody else attached, as far as the kernel tells them.
 *
 * @module
 */
import { BpfProgType } from "../../lib/uapi/mod.ts";
import { hostBtf } from "../btf/mod.ts";
import * as sys from "../sys/mod.ts";
import { describeLink, type LinkDescription } from "./link_kind.ts";

/** What a link is on, and its program. */
export interface OpenedDescription extends LinkDescription {
  /** The kernel's name of the program: at most 15 bytes; empty for a link of a struct_ops map. */
  readonly program: string;
}

/** Describes a link by what the kernel says of it and of its program. */
export function describeOpened(info: sys.LinkInfo): OpenedDescription {
  const { kind, target } = describeLink(info);
  if (info.progId === 0) return { kind, target, program: "" };
  const program = programInfo(info.progId);
  if (program === undefined) return { kind, target, program: `id ${info.progId}` };
  if (program.type !== BpfProgType.BPF_PROG_TYPE_TRACING && program.type !== BpfProgType.BPF_PROG_TYPE_LSM) {
    return { kind, target, program: program.name };
  }
  // Programs with BTF-typed arguments may be on a tracepoint by a link for those without.
  const typed = kind === "raw_tracepoint" ? "trace" : kind;
  return { kind: typed, target: kernelFunction(program) ?? target, program: program.name };
}

/** `undefined`: it went meanwhile, or this user may not ask by id (he may open a pinned link). */
function programInfo(id: number): sys.ProgInfo | undefined {
  return allowed(() => {
    using program = sys.progGetFdById(id);
    return sys.progInfo(program.value);
  });
}

/** What of the kernel a program was loaded for; `undefined` if that is a module's or another program's. */
function kernelFunction({ attachBtfObjId, attachBtfId }: sys.ProgInfo): string | undefined {
  if (attachBtfId === 0 || attachBtfObjId === 0) return undefined;
  const name = allowed(() => {
    using btf = sys.btfGetFdById(attachBtfObjId);
    return sys.btfInfo(btf.value).name;
  });
  if (name !== "vmlinux") return undefined;
  return hostBtf().nameOf(attachBtfId).replace(/^(btf_trace_|bpf_lsm_|bpf_iter_)/, "");
}

function allowed<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof sys.SyscallError && (error.code === "ENOENT" || error.code === "EPERM")) return undefined;
    throw error;
  }
}

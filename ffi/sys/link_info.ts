/**
 * What the kernel knows of a link.
 *
 * @module
 */
import { BpfLinkType, BpfPerfEventType } from "../../lib/uapi/mod.ts";
import { SyscallError } from "./errors.ts";
import { objGetInfoByFd } from "./get_info.ts";
import * as wire from "./info_layouts.ts";
import { type FieldTable, type Inputs, type Layout, textOf, WireBuffer } from "./wire.ts";

/** What all links have. */
export interface LinkInfoBase {
  /** `BPF_LINK_TYPE_*`. */
  readonly type: number;
  /** Id. */
  readonly id: number;
  /** Id of its program; 0 for struct_ops. */
  readonly progId: number;
}

/** `struct bpf_link_info` (linux/bpf.h). What an older kernel does not know is 0 or empty. */
export type LinkInfo = LinkInfoBase & LinkDetails;

/** What a link is on, by its type. */
export type LinkDetails =
  | { readonly kind: "raw_tracepoint"; readonly tpName: string; readonly cookie: bigint }
  | {
    readonly kind: "tracing";
    readonly attachType: number;
    readonly targetObjId: number;
    readonly targetBtfId: number;
    readonly cookie: bigint;
  }
  | { readonly kind: "cgroup"; readonly cgroupId: bigint; readonly attachType: number }
  | { readonly kind: "iter"; readonly targetName: string; readonly target: IterTarget }
  | { readonly kind: "netns"; readonly netnsIno: number; readonly attachType: number }
  | { readonly kind: "xdp"; readonly ifindex: number }
  | { readonly kind: "struct_ops"; readonly mapId: number }
  | {
    readonly kind: "netfilter";
    readonly pf: number;
    readonly hooknum: number;
    readonly priority: number;
    readonly flags: number;
  }
  | {
    readonly kind: "kprobe_multi";
    readonly flags: number;
    readonly missed: bigint;
    readonly addrs: BigUint64Array<ArrayBuffer>;
    readonly cookies: BigUint64Array<ArrayBuffer>;
  }
  | {
    readonly kind: "uprobe_multi";
    readonly path: string;
    readonly offsets: BigUint64Array<ArrayBuffer>;
    readonly refCtrOffsets: BigUint64Array<ArrayBuffer>;
    readonly cookies: BigUint64Array<ArrayBuffer>;
    readonly flags: number;
    readonly pid: number;
  }
  | { readonly kind: "perf_event"; readonly event: PerfEventDetails }
  | { readonly kind: "tcx" | "netkit"; readonly ifindex: number; readonly attachType: number }
  | { readonly kind: "sockmap"; readonly mapId: number; readonly attachType: number }
  | { readonly kind: "other" };

/** What an iterator walks. */
export type IterTarget =
  | { readonly kind: "map"; readonly mapId: number }
  | { readonly kind: "cgroup"; readonly cgroupId: bigint; readonly order: number }
  | { readonly kind: "task"; readonly tid: number; readonly pid: number }
  | { readonly kind: "other" };

/** What a link of a perf event is on (6.6; `"unknown"` before). */
export type PerfEventDetails =
  | {
    readonly kind: "uprobe" | "uretprobe";
    readonly fileName: string;
    readonly offset: number;
    readonly cookie: bigint;
    readonly refCtrOffset: bigint;
  }
  | {
    readonly kind: "kprobe" | "kretprobe";
    readonly funcName: string;
    readonly offset: number;
    readonly addr: bigint;
    readonly missed: bigint;
    readonly cookie: bigint;
  }
  | { readonly kind: "tracepoint"; readonly tpName: string; readonly cookie: bigint }
  | { readonly kind: "event"; readonly type: number; readonly config: bigint; readonly cookie: bigint }
  | { readonly kind: "unknown" };

/** Up to the end of the largest part. */
const LINK_INFO_BYTES = 64;
/** As long as a path may be. */
const NAME_BYTES = 4096;

/**
 * What the kernel knows of a link (`BPF_OBJ_GET_INFO_BY_FD`, 5.8).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function linkInfo(fd: number): LinkInfo {
  const info = new WireBuffer(LINK_INFO_BYTES);
  objGetInfoByFd(fd, info);
  const base = info.read(wire.LINK_INFO);
  return { ...base, ...details(fd, base.type, info) };
}

/** `info` holds what was said to a question without memory for names and arrays. */
function details(fd: number, type: number, info: WireBuffer): LinkDetails {
  switch (type) {
    case BpfLinkType.BPF_LINK_TYPE_RAW_TRACEPOINT: {
      const name = new Uint8Array(NAME_BYTES);
      ask(fd, info, wire.LINK_INFO_RAW_TRACEPOINT, { tpName: name, tpNameLen: name.length });
      return {
        kind: "raw_tracepoint",
        tpName: textOf(name),
        cookie: info.get(wire.LINK_INFO_RAW_TRACEPOINT, "cookie"),
      };
    }
    case BpfLinkType.BPF_LINK_TYPE_TRACING:
      return { kind: "tracing", ...info.read(wire.LINK_INFO_TRACING) };
    case BpfLinkType.BPF_LINK_TYPE_CGROUP:
      return { kind: "cgroup", ...info.read(wire.LINK_INFO_CGROUP) };
    case BpfLinkType.BPF_LINK_TYPE_ITER: {
      const name = new Uint8Array(NAME_BYTES);
      ask(fd, info, wire.LINK_INFO_ITER, { targetName: name, targetNameLen: name.length });
      const targetName = textOf(name);
      return { kind: "iter", targetName, target: iterTarget(targetName, info) };
    }
    case BpfLinkType.BPF_LINK_TYPE_NETNS:
      return { kind: "netns", ...info.read(wire.LINK_INFO_NETNS) };
    case BpfLinkType.BPF_LINK_TYPE_XDP:
      return { kind: "xdp", ...info.read(wire.LINK_INFO_XDP) };
    case BpfLinkType.BPF_LINK_TYPE_STRUCT_OPS:
      return { kind: "struct_ops", ...info.read(wire.LINK_INFO_STRUCT_OPS) };
    case BpfLinkType.BPF_LINK_TYPE_NETFILTER:
      return { kind: "netfilter", ...info.read(wire.LINK_INFO_NETFILTER) };
    case BpfLinkType.BPF_LINK_TYPE_KPROBE_MULTI:
      return kprobeMulti(fd, info);
    case BpfLinkType.BPF_LINK_TYPE_UPROBE_MULTI:
      return uprobeMulti(fd, info);
    case BpfLinkType.BPF_LINK_TYPE_PERF_EVENT:
      return { kind: "perf_event", event: perfEvent(fd, info) };
    case BpfLinkType.BPF_LINK_TYPE_TCX:
      return { kind: "tcx", ...info.read(wire.LINK_INFO_DEVICE) };
    case BpfLinkType.BPF_LINK_TYPE_NETKIT:
      return { kind: "netkit", ...info.read(wire.LINK_INFO_DEVICE) };
    case BpfLinkType.BPF_LINK_TYPE_SOCKMAP:
      return { kind: "sockmap", ...info.read(wire.LINK_INFO_SOCKMAP) };
    default:
      return { kind: "other" };
  }
}

/** Asks again, with memory for names and arrays. */
function ask<F extends FieldTable>(fd: number, info: WireBuffer, layout: Layout<F>, inputs: Inputs<F>): void {
  info.fill(layout, inputs);
  objGetInfoByFd(fd, info);
}

/** The kernel names iterators; which of them fill in more is fixed (kernel/bpf: `fill_link_info` of each). */
function iterTarget(name: string, info: WireBuffer): IterTarget {
  switch (name) {
    case "bpf_map_elem":
    case "bpf_sk_storage_map":
    case "sockmap":
      return { kind: "map", ...info.read(wire.LINK_INFO_ITER_MAP) };
    case "cgroup":
      return { kind: "cgroup", ...info.read(wire.LINK_INFO_ITER_CGROUP) };
    case "task":
    case "task_file":
    case "task_vma":
      return { kind: "task", ...info.read(wire.LINK_INFO_ITER_TASK) };
    default:
      return { kind: "other" };
  }
}

function kprobeMulti(fd: number, info: WireBuffer): LinkDetails {
  const layout = wire.LINK_INFO_KPROBE_MULTI;
  const count = info.get(layout, "count");
  const addrs = new BigUint64Array(count);
  let cookies = new BigUint64Array(count);
  if (count > 0) {
    try {
      ask(fd, info, layout, { addrs, count, cookies });
    } catch (error) {
      // Kernels before 6.9 know no cookies here and refuse the question.
      if (!(error instanceof SyscallError) || error.code !== "E2BIG") throw error;
      cookies = new BigUint64Array(0);
      ask(fd, info, layout, { addrs, count });
    }
  }
  return { kind: "kprobe_multi", flags: info.get(layout, "flags"), missed: info.get(layout, "missed"), addrs, cookies };
}

function uprobeMulti(fd: number, info: WireBuffer): LinkDetails {
  const layout = wire.LINK_INFO_UPROBE_MULTI;
  const count = info.get(layout, "count");
  const path = new Uint8Array(NAME_BYTES);
  const offsets = new BigUint64Array(count);
  const refCtrOffsets = new BigUint64Array(count);
  const cookies = new BigUint64Array(count);
  if (count > 0) ask(fd, info, layout, { path, pathSize: path.length, offsets, refCtrOffsets, cookies, count });
  const { flags, pid } = info.read(layout);
  return { kind: "uprobe_multi", path: textOf(path), offsets, refCtrOffsets, cookies, flags, pid };
}

function perfEvent(fd: number, info: WireBuffer): PerfEventDetails {
  const type = info.get(wire.LINK_INFO_PERF_EVENT, "type");
  const buffer = new Uint8Array(NAME_BYTES);
  switch (type) {
    case BpfPerfEventType.BPF_PERF_EVENT_UPROBE:
    case BpfPerfEventType.BPF_PERF_EVENT_URETPROBE: {
      ask(fd, info, wire.LINK_INFO_UPROBE, { fileName: buffer, nameLen: buffer.length });
      const { offset, cookie, refCtrOffset } = info.read(wire.LINK_INFO_UPROBE);
      const kind = type === BpfPerfEventType.BPF_PERF_EVENT_UPROBE ? "uprobe" : "uretprobe";
      return { kind, fileName: textOf(buffer), offset, cookie, refCtrOffset };
    }
    case BpfPerfEventType.BPF_PERF_EVENT_KPROBE:
    case BpfPerfEventType.BPF_PERF_EVENT_KRETPROBE: {
      ask(fd, info, wire.LINK_INFO_KPROBE, { funcName: buffer, nameLen: buffer.length });
      const { offset, addr, missed, cookie } = info.read(wire.LINK_INFO_KPROBE);
      const kind = type === BpfPerfEventType.BPF_PERF_EVENT_KPROBE ? "kprobe" : "kretprobe";
      return { kind, funcName: textOf(buffer), offset, addr, missed, cookie };
    }
    case BpfPerfEventType.BPF_PERF_EVENT_TRACEPOINT: {
      ask(fd, info, wire.LINK_INFO_TRACEPOINT, { tpName: buffer, nameLen: buffer.length });
      const { cookie } = info.read(wire.LINK_INFO_TRACEPOINT);
      return { kind: "tracepoint", tpName: textOf(buffer), cookie };
    }
    case BpfPerfEventType.BPF_PERF_EVENT_EVENT:
      return { kind: "event", ...info.read(wire.LINK_INFO_EVENT) };
    default:
      return { kind: "unknown" };
  }
}

/**
 * Links in bpftool's words.
 *
 * @module
 */
import {
  type LinkInfo,
  networkDevice,
  type PerfEventDetails,
  progGetFdById,
  progInfo,
  SyscallError,
} from "../../ffi/sys/mod.ts";
import { BpfLinkType, enumName } from "../../lib/uapi/mod.ts";
import { attachTypeName, programTypeName } from "../kernel_names.ts";
import { toJson } from "../output.ts";

/** `BPF_F_KPROBE_MULTI_RETURN`, `BPF_F_UPROBE_MULTI_RETURN` (linux/bpf.h). */
const MULTI_RETURN = 1;

/** `tracing`, `perf_event`. */
export function linkTypeName(type: number): string {
  return enumName(BpfLinkType, type)?.replace("BPF_LINK_TYPE_", "").toLowerCase() ?? `type ${type}`;
}

/** A link as JSON. */
export function linkJson(link: LinkInfo): object {
  return { id: link.id, type: linkTypeName(link.type), prog_id: link.progId, ...detailsJson(link) };
}

/** What it is on, as one line; empty where nothing is known. */
export function detailsText(link: LinkInfo): string {
  return Object.entries(detailsJson(link)).map(([name, value]) => {
    return `${name} ${typeof value === "string" ? value : toJson(value)}`;
  }).join("  ");
}

function detailsJson(link: LinkInfo): object {
  switch (link.kind) {
    case "raw_tracepoint":
      return { tp_name: link.tpName, ...cookie(link.cookie) };
    case "tracing":
      return {
        prog_type: programType(link.progId),
        attach_type: attachTypeName(link.attachType),
        target_obj_id: link.targetObjId,
        target_btf_id: link.targetBtfId,
        ...cookie(link.cookie),
      };
    case "cgroup":
      return { cgroup_id: link.cgroupId, attach_type: attachTypeName(link.attachType) };
    case "iter":
      return { target_name: link.targetName, ...iterJson(link.target) };
    case "netns":
      return { netns_ino: link.netnsIno, attach_type: attachTypeName(link.attachType) };
    case "xdp":
      return deviceJson(link.ifindex);
    case "tcx":
    case "netkit":
      return { ...deviceJson(link.ifindex), attach_type: attachTypeName(link.attachType) };
    case "struct_ops":
      return { map_id: link.mapId };
    case "sockmap":
      return { map_id: link.mapId, attach_type: attachTypeName(link.attachType) };
    case "netfilter":
      return { pf: link.pf, hook: link.hooknum, prio: link.priority, flags: link.flags };
    case "kprobe_multi":
      return {
        retprobe: (link.flags & MULTI_RETURN) !== 0,
        func_cnt: link.addrs.length,
        missed: link.missed,
        funcs: Array.from(link.addrs, (addr, index) => ({ addr, ...cookie(link.cookies[index] ?? 0n) })),
      };
    case "uprobe_multi":
      return {
        retprobe: (link.flags & MULTI_RETURN) !== 0,
        path: link.path,
        func_cnt: link.offsets.length,
        pid: link.pid,
        funcs: Array.from(link.offsets, (offset, index) => ({
          offset,
          ref_ctr_offset: link.refCtrOffsets[index],
          ...cookie(link.cookies[index] ?? 0n),
        })),
      };
    case "perf_event":
      return perfEventJson(link.event);
    case "other":
      return {};
    default:
      return link satisfies never;
  }
}

/** The device's name as bpftool puts it: 0 is one that is gone; others may be of another network namespace. */
function deviceJson(ifindex: number): object {
  if (ifindex === 0) return { devname: "(detached)", ifindex };
  try {
    return { devname: networkDevice(ifindex).name, ifindex };
  } catch (error) {
    if (error instanceof SyscallError && error.code === "ENODEV") return { devname: "(unknown)", ifindex };
    throw error;
  }
}

type Details<K extends LinkInfo["kind"]> = Extract<LinkInfo, { kind: K }>;

function iterJson(target: Details<"iter">["target"]): object {
  switch (target.kind) {
    case "map":
      return { map_id: target.mapId };
    case "cgroup":
      return { cgroup_id: target.cgroupId, order: target.order };
    case "task":
      return { ...(target.tid === 0 ? {} : { tid: target.tid }), ...(target.pid === 0 ? {} : { pid: target.pid }) };
    case "other":
      return {};
    default:
      return target satisfies never;
  }
}

function perfEventJson(event: PerfEventDetails): object {
  switch (event.kind) {
    case "kprobe":
    case "kretprobe":
      return {
        retprobe: event.kind === "kretprobe",
        addr: event.addr,
        func: event.funcName,
        offset: event.offset,
        missed: event.missed,
        ...cookie(event.cookie),
      };
    case "uprobe":
    case "uretprobe":
      return {
        retprobe: event.kind === "uretprobe",
        file: event.fileName,
        offset: event.offset,
        ...cookie(event.cookie),
      };
    case "tracepoint":
      return { tracepoint: event.tpName, ...cookie(event.cookie) };
    case "event":
      return { event_type: event.type, event_config: event.config, ...cookie(event.cookie) };
    case "unknown":
      return {};
    default:
      return event satisfies never;
  }
}

function cookie(value: bigint): object {
  return value === 0n ? {} : { cookie: value };
}

function programType(id: number): string {
  using fd = progGetFdById(id);
  return programTypeName(progInfo(fd.value).type);
}

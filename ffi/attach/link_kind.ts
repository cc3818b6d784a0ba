/**
 * What a link is on, from what the kernel says of it.
 *
 * @module
 */
import type { AttachKind } from "../../lib/spec/mod.ts";
import { BpfAttachType, enumName } from "../../lib/uapi/mod.ts";
import type { LinkInfo, PerfEventDetails } from "../sys/mod.ts";

/** Kind of a link, and its target in words; where the kernel keeps no names, ids. */
export interface LinkDescription {
  /** How the program is attached. */
  readonly kind: AttachKind | "other";
  /** What it is attached to: `sched/sched_process_exec`, `ifindex 3`; empty if the kernel does not say. */
  readonly target: string;
}

/** `BPF_F_KPROBE_MULTI_RETURN`, `BPF_F_UPROBE_MULTI_RETURN` (linux/bpf.h). */
const MULTI_RETURN = 1;

/** Describes a link. */
export function describeLink(info: LinkInfo): LinkDescription {
  switch (info.kind) {
    case "raw_tracepoint":
      return { kind: "raw_tracepoint", target: info.tpName };
    case "tracing":
      return { kind: tracingKind(info.attachType), target: `object ${info.targetObjId} type ${info.targetBtfId}` };
    case "cgroup":
      return { kind: cgroupKind(info.attachType), target: `cgroup ${info.cgroupId}` };
    case "iter":
      return { kind: "iter", target: info.targetName };
    case "netns": {
      const kind = info.attachType === BpfAttachType.BPF_SK_LOOKUP ? "sk_lookup" : "flow_dissector";
      return { kind, target: `netns ${info.netnsIno}` };
    }
    case "xdp":
      return { kind: "xdp", target: `ifindex ${info.ifindex}` };
    case "tcx":
    case "netkit":
      return { kind: info.kind, target: `ifindex ${info.ifindex} ${attachTypeWord(info.attachType)}` };
    case "struct_ops":
      return { kind: "struct_ops", target: `map ${info.mapId}` };
    case "netfilter":
      return { kind: "netfilter", target: `family ${info.pf} hook ${info.hooknum} priority ${info.priority}` };
    case "kprobe_multi": {
      const kind = (info.flags & MULTI_RETURN) === 0 ? "kprobe_multi" : "kretprobe_multi";
      return { kind, target: `${info.addrs.length} functions` };
    }
    case "uprobe_multi": {
      const kind = (info.flags & MULTI_RETURN) === 0 ? "uprobe_multi" : "uretprobe_multi";
      return { kind, target: info.path };
    }
    case "perf_event":
      return describePerfEvent(info.event);
    case "sockmap": {
      const kind = info.attachType === BpfAttachType.BPF_SK_MSG_VERDICT ? "sk_msg" : "sk_skb";
      return { kind, target: `map ${info.mapId}` };
    }
    case "other":
      return { kind: "other", target: "" };
    default:
      return info satisfies never;
  }
}

/** Does the kernel say that a link is on nothing any more. */
export function isDetached(info: LinkInfo): boolean {
  switch (info.kind) {
    case "xdp":
    case "tcx":
    case "netkit":
      return info.ifindex === 0;
    case "netns":
      return info.netnsIno === 0;
    case "cgroup":
      return info.cgroupId === 0n;
    case "sockmap":
    case "struct_ops":
      return info.mapId === 0;
    default:
      return false;
  }
}

function tracingKind(attachType: number): AttachKind {
  switch (attachType) {
    case BpfAttachType.BPF_LSM_MAC:
      return "lsm";
    // Programs that take another's place are loaded for no attach type.
    case 0:
      return "freplace";
    default:
      return "trace";
  }
}

/** The kind of a link to a cgroup. */
export function cgroupKind(attachType: number): AttachKind {
  switch (attachType) {
    case BpfAttachType.BPF_LSM_CGROUP:
      return "lsm_cgroup";
    case BpfAttachType.BPF_CGROUP_SOCK_OPS:
      return "sock_ops";
    default:
      return "cgroup";
  }
}

function describePerfEvent(event: PerfEventDetails): LinkDescription {
  switch (event.kind) {
    case "kprobe":
    case "kretprobe":
      return { kind: event.kind, target: `${event.funcName}${event.offset === 0 ? "" : `+${event.offset}`}` };
    case "uprobe":
    case "uretprobe":
      return { kind: event.kind, target: `${event.fileName}+${event.offset}` };
    case "tracepoint":
      return { kind: "tracepoint", target: event.tpName };
    case "event":
      return { kind: "perf_event", target: `type ${event.type} config ${event.config}` };
    case "unknown":
      return { kind: "perf_event", target: "" };
    default:
      return event satisfies never;
  }
}

/** `ingress`, `egress`, `primary`, `peer`. */
function attachTypeWord(attachType: number): string {
  return enumName(BpfAttachType, attachType)?.replace(/^BPF_(TCX|NETKIT)_/, "").toLowerCase() ?? String(attachType);
}

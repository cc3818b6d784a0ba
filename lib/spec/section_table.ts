/**
 * What the name of a program's section says about the program: libbpf 1.8's table, row by row in its order, since the
 * first row that matches decides. Names of types are those of `linux/bpf.h`, less their prefixes.
 *
 * @module
 */
import type { BpfAttachType, BpfProgType } from "../uapi/mod.ts";
import type { AttachKind } from "./types.ts";

/** `BPF_PROG_TYPE_*` without the prefix. */
type ProgTypeName = keyof typeof BpfProgType extends infer Name
  ? Name extends `BPF_PROG_TYPE_${infer Rest}` ? Rest : never
  : never;

/** `BPF_*` attach type without the prefix. */
type AttachTypeName = keyof typeof BpfAttachType extends infer Name ? Name extends `BPF_${infer Rest}` ? Rest : never
  : never;

/**
 * What else a row says.
 *
 * - `auto`: attached with the collection, if the section name goes on after a `/`
 * - `sleepable`: may sleep
 * - `btf`: attached to a function, tracepoint or program that is named by its BTF id at load
 * - `optional`: kernels before the attach type existed take the program without it
 * - `frags`: takes XDP packets of several buffers
 */
export type SectionFlag = "auto" | "sleepable" | "btf" | "optional" | "frags";

/** A row of the table. */
export interface SectionRow {
  /** The section's name; with a `+` at its end also a name that goes on after a `/`. */
  readonly pattern: string;
  readonly type: ProgTypeName;
  /** `expected_attach_type`; `undefined` for none. */
  readonly expected: AttachTypeName | undefined;
  readonly attach: AttachKind;
  readonly flags: readonly SectionFlag[];
}

function row(
  pattern: string,
  type: ProgTypeName,
  expected: AttachTypeName | undefined,
  attach: AttachKind,
  ...flags: SectionFlag[]
): SectionRow {
  return { pattern, type, expected, attach, flags };
}

/** The table. */
export const SECTION_TABLE: readonly SectionRow[] = [
  row("socket", "SOCKET_FILTER", undefined, "socket_filter"),
  row("sk_reuseport/migrate", "SK_REUSEPORT", "SK_REUSEPORT_SELECT_OR_MIGRATE", "sk_reuseport"),
  row("sk_reuseport", "SK_REUSEPORT", "SK_REUSEPORT_SELECT", "sk_reuseport"),
  row("kprobe+", "KPROBE", undefined, "kprobe", "auto"),
  row("uprobe+", "KPROBE", undefined, "uprobe", "auto"),
  row("uprobe.s+", "KPROBE", undefined, "uprobe", "auto", "sleepable"),
  row("kretprobe+", "KPROBE", undefined, "kretprobe", "auto"),
  row("uretprobe+", "KPROBE", undefined, "uretprobe", "auto"),
  row("uretprobe.s+", "KPROBE", undefined, "uretprobe", "auto", "sleepable"),
  row("kprobe.multi+", "KPROBE", "TRACE_KPROBE_MULTI", "kprobe_multi", "auto"),
  row("kretprobe.multi+", "KPROBE", "TRACE_KPROBE_MULTI", "kretprobe_multi", "auto"),
  row("kprobe.session+", "KPROBE", "TRACE_KPROBE_SESSION", "kprobe_session", "auto"),
  row("uprobe.multi+", "KPROBE", "TRACE_UPROBE_MULTI", "uprobe_multi", "auto"),
  row("uretprobe.multi+", "KPROBE", "TRACE_UPROBE_MULTI", "uretprobe_multi", "auto"),
  row("uprobe.session+", "KPROBE", "TRACE_UPROBE_SESSION", "uprobe_session", "auto"),
  row("uprobe.multi.s+", "KPROBE", "TRACE_UPROBE_MULTI", "uprobe_multi", "auto", "sleepable"),
  row("uretprobe.multi.s+", "KPROBE", "TRACE_UPROBE_MULTI", "uretprobe_multi", "auto", "sleepable"),
  row("uprobe.session.s+", "KPROBE", "TRACE_UPROBE_SESSION", "uprobe_session", "auto", "sleepable"),
  row("ksyscall+", "KPROBE", undefined, "ksyscall", "auto"),
  row("kretsyscall+", "KPROBE", undefined, "kretsyscall", "auto"),
  row("usdt+", "KPROBE", undefined, "usdt", "auto"),
  row("usdt.s+", "KPROBE", undefined, "usdt", "auto", "sleepable"),
  row("tc/ingress", "SCHED_CLS", "TCX_INGRESS", "tcx"),
  row("tc/egress", "SCHED_CLS", "TCX_EGRESS", "tcx"),
  row("tcx/ingress", "SCHED_CLS", "TCX_INGRESS", "tcx"),
  row("tcx/egress", "SCHED_CLS", "TCX_EGRESS", "tcx"),
  row("tc", "SCHED_CLS", undefined, "tc"),
  row("classifier", "SCHED_CLS", undefined, "tc"),
  row("action", "SCHED_ACT", undefined, "action"),
  row("netkit/primary", "SCHED_CLS", "NETKIT_PRIMARY", "netkit"),
  row("netkit/peer", "SCHED_CLS", "NETKIT_PEER", "netkit"),
  row("tracepoint+", "TRACEPOINT", undefined, "tracepoint", "auto"),
  row("tp+", "TRACEPOINT", undefined, "tracepoint", "auto"),
  row("tracepoint.s+", "TRACEPOINT", undefined, "tracepoint", "auto", "sleepable"),
  row("tp.s+", "TRACEPOINT", undefined, "tracepoint", "auto", "sleepable"),
  row("raw_tracepoint+", "RAW_TRACEPOINT", undefined, "raw_tracepoint", "auto"),
  row("raw_tp+", "RAW_TRACEPOINT", undefined, "raw_tracepoint", "auto"),
  row("raw_tracepoint.s+", "RAW_TRACEPOINT", undefined, "raw_tracepoint", "auto", "sleepable"),
  row("raw_tp.s+", "RAW_TRACEPOINT", undefined, "raw_tracepoint", "auto", "sleepable"),
  row("raw_tracepoint.w+", "RAW_TRACEPOINT_WRITABLE", undefined, "raw_tracepoint", "auto"),
  row("raw_tp.w+", "RAW_TRACEPOINT_WRITABLE", undefined, "raw_tracepoint", "auto"),
  row("tp_btf+", "TRACING", "TRACE_RAW_TP", "trace", "auto", "btf"),
  row("tp_btf.s+", "TRACING", "TRACE_RAW_TP", "trace", "auto", "btf", "sleepable"),
  row("fentry+", "TRACING", "TRACE_FENTRY", "trace", "auto", "btf"),
  row("fmod_ret+", "TRACING", "MODIFY_RETURN", "trace", "auto", "btf"),
  row("fexit+", "TRACING", "TRACE_FEXIT", "trace", "auto", "btf"),
  row("fentry.s+", "TRACING", "TRACE_FENTRY", "trace", "auto", "btf", "sleepable"),
  row("fmod_ret.s+", "TRACING", "MODIFY_RETURN", "trace", "auto", "btf", "sleepable"),
  row("fexit.s+", "TRACING", "TRACE_FEXIT", "trace", "auto", "btf", "sleepable"),
  row("fsession+", "TRACING", "TRACE_FSESSION", "trace", "auto", "btf"),
  row("fsession.s+", "TRACING", "TRACE_FSESSION", "trace", "auto", "btf", "sleepable"),
  row("fsession.multi+", "TRACING", "TRACE_FSESSION_MULTI", "trace_multi", "auto"),
  row("fsession.multi.s+", "TRACING", "TRACE_FSESSION_MULTI", "trace_multi", "auto", "sleepable"),
  row("fentry.multi+", "TRACING", "TRACE_FENTRY_MULTI", "trace_multi", "auto"),
  row("fexit.multi+", "TRACING", "TRACE_FEXIT_MULTI", "trace_multi", "auto"),
  row("fentry.multi.s+", "TRACING", "TRACE_FENTRY_MULTI", "trace_multi", "auto", "sleepable"),
  row("fexit.multi.s+", "TRACING", "TRACE_FEXIT_MULTI", "trace_multi", "auto", "sleepable"),
  row("freplace+", "EXT", undefined, "freplace", "auto", "btf"),
  row("lsm+", "LSM", "LSM_MAC", "lsm", "auto", "btf"),
  row("lsm.s+", "LSM", "LSM_MAC", "lsm", "auto", "btf", "sleepable"),
  row("lsm_cgroup+", "LSM", "LSM_CGROUP", "lsm_cgroup", "btf"),
  row("iter+", "TRACING", "TRACE_ITER", "iter", "auto", "btf"),
  row("iter.s+", "TRACING", "TRACE_ITER", "iter", "auto", "btf", "sleepable"),
  row("syscall", "SYSCALL", undefined, "syscall", "sleepable"),
  row("xdp.frags/devmap", "XDP", "XDP_DEVMAP", "xdp", "frags"),
  row("xdp/devmap", "XDP", "XDP_DEVMAP", "xdp"),
  row("xdp.frags/cpumap", "XDP", "XDP_CPUMAP", "xdp", "frags"),
  row("xdp/cpumap", "XDP", "XDP_CPUMAP", "xdp"),
  row("xdp.frags", "XDP", "XDP", "xdp", "frags"),
  row("xdp", "XDP", "XDP", "xdp", "optional"),
  row("perf_event", "PERF_EVENT", undefined, "perf_event"),
  row("lwt_in", "LWT_IN", undefined, "lwt"),
  row("lwt_out", "LWT_OUT", undefined, "lwt"),
  row("lwt_xmit", "LWT_XMIT", undefined, "lwt"),
  row("lwt_seg6local", "LWT_SEG6LOCAL", undefined, "lwt"),
  row("sockops", "SOCK_OPS", "CGROUP_SOCK_OPS", "sock_ops", "optional"),
  row("sk_skb/stream_parser", "SK_SKB", "SK_SKB_STREAM_PARSER", "sk_skb", "optional"),
  row("sk_skb/stream_verdict", "SK_SKB", "SK_SKB_STREAM_VERDICT", "sk_skb", "optional"),
  row("sk_skb/verdict", "SK_SKB", "SK_SKB_VERDICT", "sk_skb", "optional"),
  row("sk_skb", "SK_SKB", undefined, "sk_skb"),
  row("sk_msg", "SK_MSG", "SK_MSG_VERDICT", "sk_msg", "optional"),
  row("lirc_mode2", "LIRC_MODE2", "LIRC_MODE2", "lirc", "optional"),
  row("flow_dissector", "FLOW_DISSECTOR", "FLOW_DISSECTOR", "flow_dissector", "optional"),
  row("cgroup_skb/ingress", "CGROUP_SKB", "CGROUP_INET_INGRESS", "cgroup", "optional"),
  row("cgroup_skb/egress", "CGROUP_SKB", "CGROUP_INET_EGRESS", "cgroup", "optional"),
  row("cgroup/skb", "CGROUP_SKB", undefined, "cgroup"),
  row("cgroup/sock_create", "CGROUP_SOCK", "CGROUP_INET_SOCK_CREATE", "cgroup"),
  row("cgroup/sock_release", "CGROUP_SOCK", "CGROUP_INET_SOCK_RELEASE", "cgroup"),
  row("cgroup/sock", "CGROUP_SOCK", "CGROUP_INET_SOCK_CREATE", "cgroup", "optional"),
  row("cgroup/post_bind4", "CGROUP_SOCK", "CGROUP_INET4_POST_BIND", "cgroup"),
  row("cgroup/post_bind6", "CGROUP_SOCK", "CGROUP_INET6_POST_BIND", "cgroup"),
  row("cgroup/bind4", "CGROUP_SOCK_ADDR", "CGROUP_INET4_BIND", "cgroup"),
  row("cgroup/bind6", "CGROUP_SOCK_ADDR", "CGROUP_INET6_BIND", "cgroup"),
  row("cgroup/connect4", "CGROUP_SOCK_ADDR", "CGROUP_INET4_CONNECT", "cgroup"),
  row("cgroup/connect6", "CGROUP_SOCK_ADDR", "CGROUP_INET6_CONNECT", "cgroup"),
  row("cgroup/connect_unix", "CGROUP_SOCK_ADDR", "CGROUP_UNIX_CONNECT", "cgroup"),
  row("cgroup/sendmsg4", "CGROUP_SOCK_ADDR", "CGROUP_UDP4_SENDMSG", "cgroup"),
  row("cgroup/sendmsg6", "CGROUP_SOCK_ADDR", "CGROUP_UDP6_SENDMSG", "cgroup"),
  row("cgroup/sendmsg_unix", "CGROUP_SOCK_ADDR", "CGROUP_UNIX_SENDMSG", "cgroup"),
  row("cgroup/recvmsg4", "CGROUP_SOCK_ADDR", "CGROUP_UDP4_RECVMSG", "cgroup"),
  row("cgroup/recvmsg6", "CGROUP_SOCK_ADDR", "CGROUP_UDP6_RECVMSG", "cgroup"),
  row("cgroup/recvmsg_unix", "CGROUP_SOCK_ADDR", "CGROUP_UNIX_RECVMSG", "cgroup"),
  row("cgroup/getpeername4", "CGROUP_SOCK_ADDR", "CGROUP_INET4_GETPEERNAME", "cgroup"),
  row("cgroup/getpeername6", "CGROUP_SOCK_ADDR", "CGROUP_INET6_GETPEERNAME", "cgroup"),
  row("cgroup/getpeername_unix", "CGROUP_SOCK_ADDR", "CGROUP_UNIX_GETPEERNAME", "cgroup"),
  row("cgroup/getsockname4", "CGROUP_SOCK_ADDR", "CGROUP_INET4_GETSOCKNAME", "cgroup"),
  row("cgroup/getsockname6", "CGROUP_SOCK_ADDR", "CGROUP_INET6_GETSOCKNAME", "cgroup"),
  row("cgroup/getsockname_unix", "CGROUP_SOCK_ADDR", "CGROUP_UNIX_GETSOCKNAME", "cgroup"),
  row("cgroup/sysctl", "CGROUP_SYSCTL", "CGROUP_SYSCTL", "cgroup"),
  row("cgroup/getsockopt", "CGROUP_SOCKOPT", "CGROUP_GETSOCKOPT", "cgroup"),
  row("cgroup/setsockopt", "CGROUP_SOCKOPT", "CGROUP_SETSOCKOPT", "cgroup"),
  row("cgroup/dev", "CGROUP_DEVICE", "CGROUP_DEVICE", "cgroup", "optional"),
  row("struct_ops+", "STRUCT_OPS", undefined, "struct_ops"),
  row("struct_ops.s+", "STRUCT_OPS", undefined, "struct_ops", "sleepable"),
  row("sk_lookup", "SK_LOOKUP", "SK_LOOKUP", "sk_lookup"),
  row("netfilter", "NETFILTER", "NETFILTER", "netfilter"),
];

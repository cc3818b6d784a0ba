import { assertEquals } from "@std/assert";
import { describeLink, isDetached } from "../../../ffi/attach/link_kind.ts";
import type { LinkDetails, LinkInfo } from "../../../ffi/sys/mod.ts";
import { BpfAttachType } from "../../../lib/uapi/mod.ts";

function info(details: LinkDetails): LinkInfo {
  return { type: 0, id: 1, progId: 2, ...details };
}

function described(details: LinkDetails): string {
  const { kind, target } = describeLink(info(details));
  return target === "" ? kind : `${kind} ${target}`;
}

const NO_NUMBERS = new BigUint64Array(0);
const TWO = new BigUint64Array(2);

Deno.test("describeLink() names kind and target of each kind of link", () => {
  const { BPF_SK_LOOKUP, BPF_FLOW_DISSECTOR, BPF_CGROUP_SOCK_OPS, BPF_CGROUP_INET4_BIND, BPF_LSM_CGROUP } =
    BpfAttachType;
  const tracing = { kind: "tracing", targetObjId: 3, targetBtfId: 4, cookie: 0n } as const;
  const kprobes = { kind: "kprobe_multi", missed: 0n, addrs: TWO, cookies: NO_NUMBERS } as const;
  const uprobes = {
    kind: "uprobe_multi",
    path: "/bin/sh",
    offsets: TWO,
    refCtrOffsets: TWO,
    cookies: TWO,
    pid: 0,
  } as const;
  assertEquals(
    [
      described({ kind: "raw_tracepoint", tpName: "sched_switch", cookie: 0n }),
      described({ ...tracing, attachType: BpfAttachType.BPF_TRACE_FENTRY }),
      described({ ...tracing, attachType: BpfAttachType.BPF_LSM_MAC }),
      described({ ...tracing, attachType: 0 }),
      described({ kind: "cgroup", cgroupId: 7n, attachType: BPF_CGROUP_INET4_BIND }),
      described({ kind: "cgroup", cgroupId: 7n, attachType: BPF_CGROUP_SOCK_OPS }),
      described({ kind: "cgroup", cgroupId: 7n, attachType: BPF_LSM_CGROUP }),
      described({ kind: "netns", netnsIno: 9, attachType: BPF_SK_LOOKUP }),
      described({ kind: "netns", netnsIno: 9, attachType: BPF_FLOW_DISSECTOR }),
      described({ kind: "xdp", ifindex: 3 }),
      described({ kind: "tcx", ifindex: 3, attachType: BpfAttachType.BPF_TCX_EGRESS }),
      described({ kind: "netkit", ifindex: 3, attachType: BpfAttachType.BPF_NETKIT_PEER }),
      described({ kind: "netfilter", pf: 2, hooknum: 1, priority: -5, flags: 0 }),
      described({ kind: "sockmap", mapId: 8, attachType: BpfAttachType.BPF_SK_MSG_VERDICT }),
      described({ kind: "sockmap", mapId: 8, attachType: BpfAttachType.BPF_SK_SKB_VERDICT }),
      described({ kind: "struct_ops", mapId: 8 }),
      described({ kind: "iter", targetName: "task", target: { kind: "other" } }),
      described({ ...kprobes, flags: 0 }),
      described({ ...kprobes, flags: 1 }),
      described({ ...uprobes, flags: 0 }),
      described({ ...uprobes, flags: 1 }),
      described({ kind: "perf_event", event: { kind: "tracepoint", tpName: "x", cookie: 0n } }),
      described({
        kind: "perf_event",
        event: { kind: "kretprobe", funcName: "do_exit", offset: 0, addr: 0n, missed: 0n, cookie: 0n },
      }),
      described({
        kind: "perf_event",
        event: { kind: "uprobe", fileName: "/bin/sh", offset: 16, cookie: 0n, refCtrOffset: 0n },
      }),
      described({ kind: "perf_event", event: { kind: "event", type: 1, config: 9n, cookie: 0n } }),
      described({ kind: "perf_event", event: { kind: "unknown" } }),
      described({ kind: "other" }),
    ],
    [
      "raw_tracepoint sched_switch",
      "trace object 3 type 4",
      "lsm object 3 type 4",
      "freplace object 3 type 4",
      "cgroup cgroup 7",
      "sock_ops cgroup 7",
      "lsm_cgroup cgroup 7",
      "sk_lookup netns 9",
      "flow_dissector netns 9",
      "xdp ifindex 3",
      "tcx ifindex 3 egress",
      "netkit ifindex 3 peer",
      "netfilter family 2 hook 1 priority -5",
      "sk_msg map 8",
      "sk_skb map 8",
      "struct_ops map 8",
      "iter task",
      "kprobe_multi 2 functions",
      "kretprobe_multi 2 functions",
      "uprobe_multi /bin/sh",
      "uretprobe_multi /bin/sh",
      "tracepoint x",
      "kretprobe do_exit",
      "uprobe /bin/sh+16",
      "perf_event type 1 config 9",
      "perf_event",
      "other",
    ],
  );
});

Deno.test("isDetached() sees a target of number 0, in the kinds that have one", () => {
  const gone: LinkDetails[] = [
    { kind: "xdp", ifindex: 0 },
    { kind: "tcx", ifindex: 0, attachType: 0 },
    { kind: "netkit", ifindex: 0, attachType: 0 },
    { kind: "netns", netnsIno: 0, attachType: 0 },
    { kind: "cgroup", cgroupId: 0n, attachType: 0 },
    { kind: "sockmap", mapId: 0, attachType: 0 },
    { kind: "struct_ops", mapId: 0 },
  ];
  assertEquals(gone.map((details) => isDetached(info(details))), gone.map(() => true));
  assertEquals(isDetached(info({ kind: "xdp", ifindex: 1 })), false);
  assertEquals(isDetached(info({ kind: "other" })), false);
});

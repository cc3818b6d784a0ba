/**
 * What contexts of test runs look like to users.
 *
 * @module
 */
import type { StructValue } from "../../lib/btf/mod.ts";

/** `struct __sk_buff`: of programs that see packets as `struct sk_buff`. Fields are the kernel's; addresses and ports as it has them. */
export interface SkBuffContext {
  /** Length of the packet in bytes. */
  readonly len: number;
  /** `PACKET_HOST`, `PACKET_BROADCAST`, ... (linux/if_packet.h). */
  readonly pkt_type: number;
  /** `skb->mark`. */
  readonly mark: number;
  /** Queue of the device. */
  readonly queue_mapping: number;
  /** Protocol; of a packet `ETH_P_*` in network order. */
  readonly protocol: number;
  /** Has it a VLAN tag. */
  readonly vlan_present: number;
  /** The VLAN tag. */
  readonly vlan_tci: number;
  /** Protocol of the VLAN tag. */
  readonly vlan_proto: number;
  /** `skb->priority`. */
  readonly priority: number;
  /** Network device that it came in by. */
  readonly ingress_ifindex: number;
  /** Network device that it is at. */
  readonly ifindex: number;
  /** `skb->tc_index`. */
  readonly tc_index: number;
  /** What traffic control programs hand on to each other: 5 words. */
  readonly cb: readonly number[];
  /** Hash of the flow. */
  readonly hash: number;
  /** Class of traffic control. */
  readonly tc_classid: number;
  /** Where the data begins: an offset when given, an address to programs. */
  readonly data: number;
  /** Where the data ends. */
  readonly data_end: number;
  /** Id of the NAPI instance. */
  readonly napi_id: number;
  /** `AF_INET` or `AF_INET6`. */
  readonly family: number;
  /** IPv4 address of the other side, in network order. */
  readonly remote_ip4: number;
  /** IPv4 address of this side, in network order. */
  readonly local_ip4: number;
  /** IPv6 address of the other side, in network order: 4 words. */
  readonly remote_ip6: readonly number[];
  /** IPv6 address of this side, in network order: 4 words. */
  readonly local_ip6: readonly number[];
  /** Port of the other side, in network order. */
  readonly remote_port: number;
  /** Port of this side, in host order. */
  readonly local_port: number;
  /** Where the metadata before the data begins. */
  readonly data_meta: number;
  /** Time stamp in ns. */
  readonly tstamp: bigint;
  /** Length on the wire in bytes. */
  readonly wire_len: number;
  /** Number of segments. */
  readonly gso_segs: number;
  /** Size of a segment in bytes. */
  readonly gso_size: number;
  /** Kind of the time stamp: `BPF_SKB_TSTAMP_*`. */
  readonly tstamp_type: number;
  /** Time stamp of the device in ns. */
  readonly hwtstamp: bigint;
}

/** `struct xdp_md`: of XDP programs. Fields are the kernel's. */
export interface XdpContext {
  /** Where the data begins: an offset when given, an address to programs. */
  readonly data: number;
  /** Where the data ends. */
  readonly data_end: number;
  /** Where the metadata before the data begins. */
  readonly data_meta: number;
  /** Network device that it came in by. */
  readonly ingress_ifindex: number;
  /** Queue that it came in by. */
  readonly rx_queue_index: number;
  /** Network device that it leaves by. */
  readonly egress_ifindex: number;
}

/** `struct bpf_sk_lookup`: of `sk_lookup` programs. `cookie` is that of the socket that was selected, 0 without one. */
export interface SkLookupContext {
  /** Cookie of the socket that was selected. */
  readonly cookie: bigint;
  /** `AF_INET` or `AF_INET6`. */
  readonly family: number;
  /** Protocol; of a packet `ETH_P_*` in network order. */
  readonly protocol: number;
  /** IPv4 address of the other side, in network order. */
  readonly remote_ip4: number;
  /** IPv6 address of the other side, in network order: 4 words. */
  readonly remote_ip6: readonly number[];
  /** Port of the other side, in network order. */
  readonly remote_port: number;
  /** IPv4 address of this side, in network order. */
  readonly local_ip4: number;
  /** IPv6 address of this side, in network order: 4 words. */
  readonly local_ip6: readonly number[];
  /** Port of this side, in host order. */
  readonly local_port: number;
  /** Network device that it came in by. */
  readonly ingress_ifindex: number;
}

/** Arguments of a raw tracepoint: at most 12, 64 bits each. */
export type TracepointArgs = readonly (number | bigint)[];

/**
 * What a context may be given as: bytes, or for programs whose context is known the fields that are not 0. A `syscall`
 * program's is the struct that its function takes, known from its BTF.
 */
export type ContextInput =
  | Uint8Array
  | Partial<SkBuffContext>
  | Partial<XdpContext>
  | Partial<SkLookupContext>
  | TracepointArgs
  | StructValue;

/** What a context comes back as. */
export type ContextOutput = SkBuffContext | XdpContext | SkLookupContext | StructValue;

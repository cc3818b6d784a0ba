/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A program for each way to attach to network devices, network namespaces and sockets. Packets that count are UDP to
 * `watched_port` (network byte order; not of all programs: see each). counts[] by slot, and what else is to be expected:
 *
 *   0 xdp_count      last_payload: the first 4 bytes after the UDP header; result `xdp_result`
 *   1 xdp_other      result 2 (XDP_PASS)
 *   2 xdp_with_frags packets of several buffers too; last_length
 *   3 xdp_to_devmap  redirected by element 0 of `devices`
 *   4 xdp_on_device  runs for a packet that leaves by an element of `devices` (last_egress: its device)
 *   5 xdp_to_cpumap  redirected by element 0 of `cpus`
 *   6 xdp_on_cpu     runs on the CPU of an element of `cpus`
 *   7 tcx_first, 8 tcx_second, 9 tcx_third (ingress), 10 tcx_out (egress): each packet; order[] gets 1, 2, 3; result
 *     `tcx_result`
 *  11 classify       each packet; order[] gets 4; result `tc_result`
 *  12 act            each packet; result 0 (TC_ACT_OK)
 *  13 netkit_primary, 14 netkit_peer
 *  15 filter_hook    netfilter: each packet; drops while `drop` is set
 *  16 choose_socket  sk_lookup: TCP and UDP to the port `looked_up` (host byte order) go to element 0 of `sockets`
 *  17 dissect        flow dissector: each packet; result 2 (BPF_DROP): nothing is found
 *  18 filter         socket: each packet; result `kept`
 *  19 share          sk_reuseport: chooses element `chosen` of `shared`
 *  20 parse, 21 redirect (stream_verdict), 22 verdict, 23 message (sk_msg): result `stream_result`, or (21, with
 *     `redirect_to` > 0) to element `redirect_to` - 1 of `sockets`
 *  24 route_in, 25 route_out, 26 route_xmit, 27 route_segment (seg6local): each packet; result `route_result`
 *
 * Needs Linux 5.10, and what each program needs: see docs/attach.md.
 */
#include "debpf_test.h"

struct xdp_md {
	u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};

struct __sk_buff {
	u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, priority, ingress_ifindex;
	u32 ifindex, tc_index, cb[5], hash, tc_classid, data, data_end;
};

struct bpf_sk_lookup {
	u64 cookie;
	u32 family, protocol, remote_ip4, remote_ip6[4];
	be16 remote_port;
	u16 padding;
	u32 local_ip4, local_ip6[4], local_port, ingress_ifindex;
};

struct sk_msg_md;
struct sk_reuseport_md;
struct bpf_nf_ctx;

#define BPF_MAP_TYPE_DEVMAP 14
#define BPF_MAP_TYPE_SOCKMAP 15
#define BPF_MAP_TYPE_CPUMAP 16
#define BPF_MAP_TYPE_REUSEPORT_SOCKARRAY 20

static long (*bpf_redirect_map)(void *map, u64 key, u64 flags) = (void *)51;
static long (*bpf_sk_redirect_map)(struct __sk_buff *skb, void *map, u32 key, u64 flags) = (void *)52;
static long (*bpf_sk_select_reuseport)(struct sk_reuseport_md *ctx, void *map, void *key, u64 flags) = (void *)82;
static long (*bpf_sk_release)(void *sk) = (void *)86;
static long (*bpf_sk_assign)(struct bpf_sk_lookup *ctx, void *sk, u64 flags) = (void *)124;

/* `struct bpf_devmap_val`: the device, and the program for packets that leave by it. */
struct device {
	u32 ifindex;
	int program;
};

/* `struct bpf_cpumap_val`: the length of the queue, and the program for packets that come by it. */
struct cpu {
	u32 queue_size;
	int program;
};

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, struct device);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u64));
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u64));
} shared SEC(".maps");

u64 counts[28];
u32 order[8];
u32 order_length;
u32 last_payload;
u32 last_length;
u32 last_egress;
u32 watched_port;
u32 looked_up;
u32 xdp_result = 2;
int tcx_result = -1;
int tc_result;
u32 drop;
int kept = -1;
u32 chosen;
int stream_result = 1;
u32 redirect_to;
int route_result;

static INLINE void note(u32 what)
{
	order[order_length & 7] = what;
	order_length++;
}

/* Is it UDP over IPv4 (without options) to the watched port; then `payload` are the first 4 bytes of data. */
static INLINE int is_watched(u8 *data, u8 *end, u32 *payload)
{
	if (data + 46 > end)
		return 0;
	if (*(u16 *)(data + 12) != 0x0008 || data[14] != 0x45 || data[23] != 17)
		return 0;
	if (*(u16 *)(data + 36) != watched_port)
		return 0;
	*payload = *(u32 *)(data + 42);
	return 1;
}

SEC("xdp")
int xdp_count(struct xdp_md *ctx)
{
	u32 payload;

	if (!is_watched((u8 *)(long)ctx->data, (u8 *)(long)ctx->data_end, &payload))
		return 2;
	counts[0]++;
	last_payload = payload;
	return xdp_result;
}

SEC("xdp")
int xdp_other(struct xdp_md *ctx)
{
	u32 payload;

	if (is_watched((u8 *)(long)ctx->data, (u8 *)(long)ctx->data_end, &payload))
		counts[1]++;
	return 2;
}

SEC("?xdp.frags")
int xdp_with_frags(struct xdp_md *ctx)
{
	u32 payload;

	if (!is_watched((u8 *)(long)ctx->data, (u8 *)(long)ctx->data_end, &payload))
		return 2;
	counts[2]++;
	last_length = ctx->data_end - ctx->data;
	return 2;
}

SEC("?xdp")
int xdp_to_devmap(struct xdp_md *ctx)
{
	u32 payload;

	if (!is_watched((u8 *)(long)ctx->data, (u8 *)(long)ctx->data_end, &payload))
		return 2;
	counts[3]++;
	return bpf_redirect_map(&devices, 0, 0);
}

SEC("?xdp/devmap")
int xdp_on_device(struct xdp_md *ctx)
{
	counts[4]++;
	last_egress = ctx->egress_ifindex;
	return 2;
}

SEC("?xdp")
int xdp_to_cpumap(struct xdp_md *ctx)
{
	u32 payload;

	if (!is_watched((u8 *)(long)ctx->data, (u8 *)(long)ctx->data_end, &payload))
		return 2;
	counts[5]++;
	return bpf_redirect_map(&cpus, 0, 0);
}

SEC("?xdp/cpumap")
int xdp_on_cpu(struct xdp_md *ctx)
{
	counts[6]++;
	return 2;
}

SEC("?tcx/ingress")
int tcx_first(struct __sk_buff *skb)
{
	counts[7]++;
	note(1);
	return tcx_result;
}

SEC("?tcx/ingress")
int tcx_second(struct __sk_buff *skb)
{
	counts[8]++;
	note(2);
	return tcx_result;
}

SEC("?tcx/ingress")
int tcx_third(struct __sk_buff *skb)
{
	counts[9]++;
	note(3);
	return tcx_result;
}

SEC("?tcx/egress")
int tcx_out(struct __sk_buff *skb)
{
	counts[10]++;
	last_length = skb->len;
	return tcx_result;
}

SEC("?tc")
int classify(struct __sk_buff *skb)
{
	counts[11]++;
	note(4);
	last_length = skb->len;
	return tc_result;
}

SEC("?tc")
int classify_other(struct __sk_buff *skb)
{
	note(5);
	return -1;
}

SEC("?action")
int act(struct __sk_buff *skb)
{
	counts[12]++;
	last_length = skb->len;
	return 0;
}

SEC("?netkit/primary")
int netkit_primary(struct __sk_buff *skb)
{
	counts[13]++;
	note(6);
	last_length = skb->len;
	return tcx_result;
}

SEC("?netkit/peer")
int netkit_peer(struct __sk_buff *skb)
{
	counts[14]++;
	note(7);
	return tcx_result;
}

SEC("?netfilter")
int filter_hook(struct bpf_nf_ctx *ctx)
{
	counts[15]++;
	return drop ? 0 : 1;
}

SEC("?sk_lookup")
int choose_socket(struct bpf_sk_lookup *ctx)
{
	u32 zero = 0;
	void *socket;
	long result;

	if (ctx->local_port != looked_up)
		return 1;
	counts[16]++;
	socket = bpf_map_lookup_elem(&sockets, &zero);
	if (!socket)
		return 0;
	result = bpf_sk_assign(ctx, socket, 0);
	bpf_sk_release(socket);
	return result ? 0 : 1;
}

SEC("?flow_dissector")
int dissect(struct __sk_buff *skb)
{
	counts[17]++;
	return 2;
}

SEC("?socket")
int filter(struct __sk_buff *skb)
{
	counts[18]++;
	last_length = skb->len;
	return kept;
}

SEC("?sk_reuseport")
int share(struct sk_reuseport_md *ctx)
{
	u32 index = chosen;

	counts[19]++;
	return bpf_sk_select_reuseport(ctx, &shared, &index, 0) ? 0 : 1;
}

SEC("?sk_skb/stream_parser")
int parse(struct __sk_buff *skb)
{
	counts[20]++;
	return skb->len;
}

SEC("?sk_skb/stream_verdict")
int redirect(struct __sk_buff *skb)
{
	counts[21]++;
	last_length = skb->len;
	if (redirect_to > 0)
		return bpf_sk_redirect_map(skb, &sockets, redirect_to - 1, 0);
	return stream_result ? 1 : 0;
}

SEC("?sk_skb/verdict")
int verdict(struct __sk_buff *skb)
{
	counts[22]++;
	last_length = skb->len;
	return stream_result ? 1 : 0;
}

SEC("?sk_msg")
int message(struct sk_msg_md *msg)
{
	counts[23]++;
	return stream_result ? 1 : 0;
}

SEC("?sk_msg")
int message_other(struct sk_msg_md *msg)
{
	return 1;
}

SEC("?lwt_in")
int route_in(struct __sk_buff *skb)
{
	counts[24]++;
	return route_result ? 2 : 0;
}

SEC("?lwt_out")
int route_out(struct __sk_buff *skb)
{
	counts[25]++;
	last_length = skb->len;
	return route_result ? 2 : 0;
}

SEC("?lwt_xmit")
int route_xmit(struct __sk_buff *skb)
{
	counts[26]++;
	last_length = skb->len;
	return route_result ? 2 : 0;
}

SEC("?lwt_seg6local")
int route_segment(struct __sk_buff *skb)
{
	counts[27]++;
	last_length = skb->len;
	return route_result ? 2 : 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

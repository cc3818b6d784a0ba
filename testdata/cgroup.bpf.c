/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A program for each attach type of cgroups. counts[] by the slots below: how often it ran; seen[] what it saw last: a port in
 * host byte order, the length of a packet, a level and option, a device. All say yes, but:
 *
 *  bind4                 a port of 7001 becomes 7002
 *  connect4              a port of 7003 becomes `other_port`
 *  getpeername4          a port becomes 7004
 *  getsockopt            option 15 (SO_REUSEPORT) of level 1 is 77
 *  device                no device of major number 1 and minor number 5 (/dev/zero) while `strict` is set
 *  sysctl                no writes while `strict` is set
 *  ingress_first, ..._second, ..._third  order[] gets 1, 2, 3
 *
 * Needs Linux 5.10; unix addresses 6.7.
 */
#include "debpf_test.h"

struct __sk_buff {
	u32 len, pkt_type, mark, queue_mapping, protocol;
};

struct bpf_sock_addr {
	u32 user_family, user_ip4, user_ip6[4], user_port, family, type, protocol, msg_src_ip4, msg_src_ip6[4];
};

struct bpf_sock {
	u32 bound_dev_if, family, type, protocol, mark, priority, src_ip4, src_ip6[4], src_port;
};

struct bpf_sysctl {
	u32 write, file_pos;
};

struct bpf_sockopt {
	u64 sk, optval, optval_end;
	/* Stores to neighbours must not become one, which the verifier refuses. */
	volatile s32 level, optname, optlen, retval;
};

struct bpf_cgroup_dev_ctx {
	u32 access_type, major, minor;
};

struct bpf_sock_ops {
	u32 op, reply[4], family, remote_ip4, local_ip4, remote_ip6[4], local_ip6[4], remote_port, local_port;
};

static long (*bpf_sysctl_get_name)(struct bpf_sysctl *ctx, char *buf, u64 size, u64 flags) = (void *)101;

u64 counts[40];
u32 seen[40];
u32 order[8];
u32 order_length;
u32 other_port;
u32 strict;
char sysctl_name[32];

static INLINE u32 host_order(u32 port)
{
	return (port & 0xff) << 8 | (port >> 8 & 0xff);
}

static INLINE void saw(u32 slot, u32 value)
{
	counts[slot]++;
	seen[slot] = value;
}

#define ADDRESS(slot, name, section)                                                                                   \
	SEC(section)                                                                                                   \
	int name(struct bpf_sock_addr *ctx)                                                                            \
	{                                                                                                              \
		saw(slot, host_order(ctx->user_port));                                                                 \
		return 1;                                                                                              \
	}

#define SOCKET(slot, name, section, value)                                                                             \
	SEC(section)                                                                                                   \
	int name(struct bpf_sock *ctx)                                                                                 \
	{                                                                                                              \
		saw(slot, value);                                                                                      \
		return 1;                                                                                              \
	}

/* Addresses of unix sockets are not in the context: only that it ran. */
#define UNIX(slot, name, section)                                                                                      \
	SEC(section)                                                                                                   \
	int name(struct bpf_sock_addr *ctx)                                                                            \
	{                                                                                                              \
		saw(slot, ctx->family);                                                                                \
		return 1;                                                                                              \
	}

#define PACKET(slot, name, section)                                                                                    \
	SEC(section)                                                                                                   \
	int name(struct __sk_buff *skb)                                                                                \
	{                                                                                                              \
		saw(slot, skb->len);                                                                                   \
		return 1;                                                                                              \
	}

#define ORDERED(number, name)                                                                                          \
	SEC("?cgroup_skb/ingress")                                                                                     \
	int name(struct __sk_buff *skb)                                                                                \
	{                                                                                                              \
		order[order_length & 7] = number;                                                                      \
		order_length++;                                                                                        \
		return 1;                                                                                              \
	}

PACKET(0, ingress, "?cgroup_skb/ingress")
PACKET(1, egress, "?cgroup_skb/egress")
PACKET(2, either, "?cgroup/skb")
SOCKET(3, create, "?cgroup/sock_create", ctx->type)
SOCKET(4, release, "?cgroup/sock_release", ctx->type)
SOCKET(5, post_bind4, "?cgroup/post_bind4", ctx->src_port)
SOCKET(6, post_bind6, "?cgroup/post_bind6", ctx->src_port)
ADDRESS(8, bind6, "?cgroup/bind6")
ADDRESS(10, connect6, "?cgroup/connect6")
UNIX(11, connect_unix, "?cgroup/connect_unix")
ADDRESS(12, sendmsg4, "?cgroup/sendmsg4")
ADDRESS(13, sendmsg6, "?cgroup/sendmsg6")
UNIX(14, sendmsg_unix, "?cgroup/sendmsg_unix")
ADDRESS(15, recvmsg4, "?cgroup/recvmsg4")
ADDRESS(16, recvmsg6, "?cgroup/recvmsg6")
UNIX(17, recvmsg_unix, "?cgroup/recvmsg_unix")
ADDRESS(19, getpeername6, "?cgroup/getpeername6")
UNIX(20, getpeername_unix, "?cgroup/getpeername_unix")
ADDRESS(21, getsockname4, "?cgroup/getsockname4")
ADDRESS(22, getsockname6, "?cgroup/getsockname6")
UNIX(23, getsockname_unix, "?cgroup/getsockname_unix")
ORDERED(1, ingress_first)
ORDERED(2, ingress_second)
ORDERED(3, ingress_third)

SEC("?cgroup/bind4")
int bind4(struct bpf_sock_addr *ctx)
{
	u32 port = host_order(ctx->user_port);

	saw(7, port);
	if (port == 7001)
		ctx->user_port = host_order(7002);
	return 1;
}

SEC("?cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	u32 port = host_order(ctx->user_port);

	saw(9, port);
	if (port == 7003)
		ctx->user_port = host_order(other_port);
	return 1;
}

SEC("?cgroup/getpeername4")
int getpeername4(struct bpf_sock_addr *ctx)
{
	saw(18, host_order(ctx->user_port));
	ctx->user_port = host_order(7004);
	return 1;
}

SEC("?cgroup/sysctl")
int sysctl(struct bpf_sysctl *ctx)
{
	saw(24, ctx->write);
	bpf_sysctl_get_name(ctx, sysctl_name, sizeof(sysctl_name), 0);
	return !(strict && ctx->write);
}

SEC("?cgroup/getsockopt")
int getsockopt(struct bpf_sockopt *ctx)
{
	u32 *value = (u32 *)(long)ctx->optval;

	saw(25, (u32)ctx->level << 16 | (u32)ctx->optname);
	if (ctx->level == 1 && ctx->optname == 15 && value + 1 <= (u32 *)(long)ctx->optval_end) {
		*value = 77;
		ctx->optlen = 4;
		ctx->retval = 0;
	} else {
		ctx->optlen = 0;
	}
	return 1;
}

SEC("?cgroup/setsockopt")
int setsockopt(struct bpf_sockopt *ctx)
{
	saw(26, (u32)ctx->level << 16 | (u32)ctx->optname);
	return 1;
}

SEC("?cgroup/dev")
int device(struct bpf_cgroup_dev_ctx *ctx)
{
	saw(27, ctx->major << 16 | ctx->minor);
	return !(strict && ctx->major == 1 && ctx->minor == 5);
}

SEC("?sockops")
int operation(struct bpf_sock_ops *ctx)
{
	saw(28, ctx->local_port);
	return 1;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

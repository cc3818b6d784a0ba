/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * TCP congestion control in BPF: struct_ops maps of struct tcp_congestion_ops. Linux 5.13 (links: 6.4).
 *
 * `debpf_reno` grows its window as Reno does and counts what it is asked: `inits`, `releases`, `acked_packets`, `losses`,
 * and the largest window, `max_cwnd`. It is registered by an update of its map, `linked` by a link. `other` is created only if
 * asked for, and has the same name as `linked`, so that one can take the other's place; its `init` counts in `other_inits`.
 * The maps share programs. The kernel's struct has its members in another order, and more of them; the two whose names begin
 * with `not_` are in no kernel.
 */
#include "debpf_test.h"

struct sock;

struct tcp_sock {
	u32 snd_cwnd;
	u32 snd_cwnd_cnt;
	u32 snd_ssthresh;
	u32 prior_cwnd;
} KERNEL;

/* Another order than the kernel's, and only a part of it. */
struct tcp_congestion_ops___debpf {
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	u32 (*ssthresh)(struct sock *sk);
	u32 (*undo_cwnd)(struct sock *sk);
	void (*init)(struct sock *sk);
	void (*release)(struct sock *sk);
	void (*not_in_the_kernel)(struct sock *sk);
	u32 flags;
	u64 not_that_either;
	char name[16];
	void *owner;
};

/* TCP_CONG_NON_RESTRICTED (net/tcp.h): also for those without CAP_NET_ADMIN. */
#define NON_RESTRICTED 1

u64 inits, other_inits, releases, acked_packets, losses;
u32 max_cwnd;

static u32 half(u32 cwnd)
{
	return cwnd / 2 > 2 ? cwnd / 2 : 2;
}

SEC("struct_ops")
void init_reno(u64 *ctx)
{
	__sync_fetch_and_add(&inits, 1);
}

SEC("struct_ops/init")
void init_other(u64 *ctx)
{
	__sync_fetch_and_add(&other_inits, 1);
}

SEC("struct_ops/release")
void release(u64 *ctx)
{
	__sync_fetch_and_add(&releases, 1);
}

SEC("struct_ops/ssthresh")
u32 ssthresh(u64 *ctx)
{
	struct tcp_sock *tp = (struct tcp_sock *)ctx[0];

	__sync_fetch_and_add(&losses, 1);
	return half(tp->snd_cwnd);
}

SEC("struct_ops/undo_cwnd")
u32 undo_cwnd(u64 *ctx)
{
	struct tcp_sock *tp = (struct tcp_sock *)ctx[0];
	u32 cwnd = tp->snd_cwnd, prior = tp->prior_cwnd;

	return cwnd > prior ? cwnd : prior;
}

SEC("struct_ops/cong_avoid")
void cong_avoid(u64 *ctx)
{
	struct tcp_sock *tp = (struct tcp_sock *)ctx[0];
	u32 acked = ctx[2], cwnd = tp->snd_cwnd;

	__sync_fetch_and_add(&acked_packets, acked);
	if (cwnd < tp->snd_ssthresh) {
		cwnd += acked;
	} else {
		u32 count = tp->snd_cwnd_cnt + acked;

		if (count >= cwnd) {
			count = 0;
			cwnd++;
		}
		tp->snd_cwnd_cnt = count;
	}
	if (cwnd > 65535)
		cwnd = 65535;
	tp->snd_cwnd = cwnd;
	if (cwnd > max_cwnd)
		max_cwnd = cwnd;
}

/* In no map: not loaded unless somebody puts it into one. */
SEC("?struct_ops/spare")
void spare(u64 *ctx)
{
}

#define RENO(cc_name, initial)                                                                                          \
	{                                                                                                              \
		.cong_avoid = (void *)cong_avoid, .ssthresh = (void *)ssthresh, .undo_cwnd = (void *)undo_cwnd,        \
		.init = (void *)initial, .release = (void *)release, .flags = NON_RESTRICTED, .name = cc_name          \
	}

SEC(".struct_ops")
struct tcp_congestion_ops___debpf debpf_reno = RENO("debpf_reno", init_reno);

SEC(".struct_ops.link")
struct tcp_congestion_ops___debpf linked = RENO("debpf_linked", init_reno);

SEC("?.struct_ops.link")
struct tcp_congestion_ops___debpf other = RENO("debpf_linked", init_other);

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Functions of connection tracking, which is a module in most kernels. `lookup` (BPF_PROG_TEST_RUN, tc, Linux 6.4) asks for
 * a connection that is not there: returns 1, and `error` is -ENOENT. Their addresses are taken, too: `known` is 3.
 */
#include "debpf_test.h"

struct __sk_buff {
	u32 len;
};
struct nf_conn {
	u32 timeout;
} KERNEL;
struct bpf_sock_tuple {
	be32 source, destination;
	be16 source_port, destination_port;
};
struct bpf_ct_opts {
	s32 netns_id;
	s32 error;
	u8 l4proto;
	u8 dir;
	u8 reserved[2];
};

#define NO_NETNS (-1)
#define UDP 17

extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple, u32 tuple_size,
					 struct bpf_ct_opts *opts, u32 opts_size) __ksym;
extern void bpf_ct_release(struct nf_conn *connection) __ksym;

s32 error;
u32 known;

SEC("tc")
int lookup(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = { .source = 1, .destination = 2, .source_port = 3, .destination_port = 4 };
	struct bpf_ct_opts opts = { .netns_id = NO_NETNS, .l4proto = UDP };
	struct nf_conn *connection = bpf_skb_ct_lookup(skb, &tuple, sizeof(tuple), &opts, sizeof(opts));
	void *volatile release = bpf_ct_release;
	void *volatile ask = bpf_skb_ct_lookup;

	if (release)
		known |= 1;
	if (ask)
		known |= 2;
	error = opts.error;
	if (!connection)
		return 1;
	bpf_ct_release(connection);
	return 2;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

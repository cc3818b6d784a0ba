/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Global functions that get the context by a tag (__arg_ctx of libbpf), which kernels before 6.8 do not know. Linux 5.10.
 * With BPF_PROG_TEST_RUN: `packet` (xdp) returns the packet's length + 1 + 2; `raw` (raw_tp) with ctx_in `u64 args[2]` = {a, b}
 * returns a * 10 + b. `named` has the context's own type, which is right for every kernel, and no tag.
 */
#include "debpf_test.h"

#define ARG_CTX __attribute__((btf_decl_tag("arg:ctx")))

struct xdp_md {
	u32 data;
	u32 data_end;
	u32 data_meta;
	u32 ingress_ifindex;
	u32 rx_queue_index;
	u32 egress_ifindex;
};

NOINLINE u32 named(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data;
}

NOINLINE u32 tagged(void *ctx ARG_CTX, u32 more)
{
	return named(ctx) + more;
}

WEAK u32 second(u32 more, void *ctx ARG_CTX)
{
	struct xdp_md *md = ctx;

	return md->rx_queue_index + more;
}

NOINLINE u32 arguments(u64 *ctx ARG_CTX, u32 factor)
{
	return ctx[0] * factor + ctx[1];
}

SEC("xdp")
s32 packet(struct xdp_md *ctx)
{
	return tagged(ctx, 1) + second(2, ctx);
}

SEC("raw_tp")
s32 raw(u64 *ctx)
{
	return arguments(ctx, 10);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

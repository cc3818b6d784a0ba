/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Functions of every linkage, called, passed as callbacks, and unused. Linux 5.17 (bpf_loop). With BPF_PROG_TEST_RUN:
 * `calls` (tc) returns 36; `callbacks` (tc) returns 9 + 15; `lonely` (xdp) calls nothing that the others don't.
 */
#include "debpf_test.h"

static NOINLINE s32 leaf(s32 x)
{
	asm volatile("");
	return x * 3;
}

static NOINLINE s32 middle(s32 x)
{
	return leaf(x) + leaf(x + 1);
}

WEAK s32 weak_function(s32 x)
{
	return middle(x) - 1;
}

HIDDEN NOINLINE s32 hidden_function(s32 x)
{
	return leaf(x) + 2;
}

NOINLINE s32 global_function(s32 x)
{
	return weak_function(x) + hidden_function(x);
}

static s32 callback(u32 index, void *ctx)
{
	*(u64 *)ctx += leaf(index);
	return 0;
}

NOINLINE s32 global_callback(u32 index, void *ctx)
{
	return 0;
}

NOINLINE s32 unused(s32 x)
{
	return global_function(x);
}

SEC("tc")
s32 calls(void *ctx)
{
	return global_function(3) + hidden_function(1);
}

SEC("tc")
s32 callbacks(void *ctx)
{
	u64 sum = 0;

	bpf_loop(3, callback, &sum, 0);
	return sum + middle(2);
}

SEC("?xdp")
s32 lonely(void *ctx)
{
	return leaf(3);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

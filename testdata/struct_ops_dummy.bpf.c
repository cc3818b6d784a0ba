/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * The kernel's own struct_ops for tests, which run with BPF_PROG_TEST_RUN and cannot be registered. Linux 5.16; the sleepable
 * one 6.3. ctx_in is `u64 args[1]` = {address of a state}; `first` returns 42, `sleeping` 43.
 */
#include "debpf_test.h"

struct bpf_dummy_ops_state {
	s32 value;
};

struct bpf_dummy_ops {
	s32 (*test_1)(struct bpf_dummy_ops_state *state);
	s32 (*test_sleepable)(struct bpf_dummy_ops_state *state);
};

static NOINLINE s32 answer(s32 more)
{
	asm volatile("");
	return 40 + more;
}

SEC("struct_ops")
s32 first(u64 *ctx)
{
	return answer(2);
}

SEC("struct_ops.s/test_sleepable")
s32 sleeping(u64 *ctx)
{
	return answer(3);
}

SEC(".struct_ops")
struct bpf_dummy_ops dummy = {
	.test_1 = (void *)first,
	.test_sleepable = (void *)sleeping,
};

char LICENSE[] SEC("license") = "Dual MIT/GPL";

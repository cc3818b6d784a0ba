/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Function pointers, with known results. Linux 5.17 (bpf_loop). Each runs with BPF_PROG_TEST_RUN, type syscall; ctx is
 * in and out: struct sums { u64 n; u64 sum; u64 calls; }
 *
 * loop(n = 10)       ->  0;  sum = 0+1+...+9 = 45, doubled by a second callback to 90; calls = 20
 * each_element(n = 3) -> 4;  numbers = {0, 3, 6, 9} (the program writes index * n); sum = 18, calls = 4
 * nested(n = 4)      ->  0;  sum = 4 * (0+1+2) = 12, calls = 4 + 12 = 16: a callback that itself calls bpf_loop
 * in_text(n = 5)     ->  0;  sum = 10, calls = 5: the pointer is taken by a subprogram in .text
 *
 * The callbacks are static functions in .text with gaps between them; instructions that load their addresses are
 * `ldimm64` with src_reg BPF_PSEUDO_FUNC.
 */
#include "debpf_test.h"

struct sums {
	u64 n;
	u64 sum;
	u64 calls;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} numbers SEC(".maps");

static NOINLINE __attribute__((used)) int never_called(int a)
{
	return a * 11;
}

static long add_index(u32 index, struct sums *sums)
{
	sums->sum += index;
	sums->calls++;
	return 0;
}

static ALIGNED(64) long add_index_again(u32 index, struct sums *sums)
{
	sums->sum += index + 0;
	sums->calls += 1;
	return index > 1000000;
}

static ALIGNED(32) long add_value(void *map, const u32 *key, u64 *value, struct sums *sums)
{
	sums->sum += *value;
	sums->calls++;
	return 0;
}

static long three_times(u32 index, struct sums *sums)
{
	sums->calls++;
	bpf_loop(3, add_index, sums, 0);
	return 0;
}

NOINLINE int loop_in_text(u32 n, u32 *calls)
{
	struct sums sums = {};

	bpf_loop(n, add_index, &sums, 0);
	if (calls)
		*calls = sums.calls;
	return sums.sum;
}

SEC("syscall")
int loop(struct sums *ctx)
{
	struct sums sums = {};

	bpf_loop(ctx->n, add_index, &sums, 0);
	bpf_loop(ctx->n, add_index_again, &sums, 0);
	ctx->sum = sums.sum;
	ctx->calls = sums.calls;
	return 0;
}

SEC("syscall")
int each_element(struct sums *ctx)
{
	struct sums sums = {};
	u32 i;
	int count;

	for (i = 0; i < 4; i++) {
		u64 value = i * ctx->n;
		u32 key = i;

		bpf_map_update_elem(&numbers, &key, &value, BPF_ANY);
	}
	count = bpf_for_each_map_elem(&numbers, add_value, &sums, 0);
	ctx->sum = sums.sum;
	ctx->calls = sums.calls;
	return count;
}

SEC("syscall")
int nested(struct sums *ctx)
{
	struct sums sums = {};

	bpf_loop(ctx->n, three_times, &sums, 0);
	ctx->sum = sums.sum;
	ctx->calls = sums.calls;
	return 0;
}

SEC("syscall")
int in_text(struct sums *ctx)
{
	u32 calls = 0;

	ctx->sum = loop_in_text(ctx->n, &calls);
	ctx->calls = calls;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Maps with declared contents: maps of maps with gaps and doubles, a program array. Linux 5.10. `step` runs with
 * BPF_PROG_TEST_RUN (raw_tp) and ctx_in `u64 args[2]` = {index, -}: it puts index + 1 into element 0 of the map at that index of
 * `outer`, or -1 into `missed` if there is none, then goes on to the program at that index of `programs`; `landed` has its number.
 */
#include "debpf_test.h"

struct numbers {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} one SEC(".maps"), two SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 5);
	__type(key, u32);
	__array(values, struct numbers);
} outer SEC(".maps") = {
	.values = { [0] = &one, [2] = &two, [3] = &one },
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, struct numbers);
} by_hash SEC(".maps") = {
	.values = { [1] = &two },
};

s32 target_one(u64 *ctx);
s32 target_two(u64 *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 5);
	__uint(key_size, 4);
	__array(values, s32(u64 *));
} programs SEC(".maps") = {
	.values = { [1] = target_one, [4] = target_two },
};

/* Declared, but with nothing in it. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 5);
	__uint(key_size, 4);
	__uint(value_size, 4);
} nothing SEC(".maps");

s32 missed, landed;

SEC("raw_tp/target")
s32 target_one(u64 *ctx)
{
	landed = 1;
	return 0;
}

SEC("raw_tp/target")
s32 target_two(u64 *ctx)
{
	landed = 2;
	return 0;
}

SEC("raw_tp")
s32 step(u64 *ctx)
{
	u32 index = ctx[0], zero = 0;
	void *inner = bpf_map_lookup_elem(&outer, &index);
	u64 *element = inner ? bpf_map_lookup_elem(inner, &zero) : NULL;

	missed = element ? 0 : -1;
	if (element)
		*element = index + 1;
	landed = 0;
	bpf_tail_call(ctx, &programs, index);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

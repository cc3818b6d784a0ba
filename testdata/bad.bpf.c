/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Programs that the verifier refuses, each for one reason, so that errors can be held against what is known to be
 * wrong: the line marked `wrong`. They relocate and link without complaint; `good` alone loads. What 6.18 says:
 *
 * unbounded      math between map_value pointer and register with unbounded min value is not allowed
 * no_null_check  invalid mem access 'map_value_or_null'
 * in_subprogram  the same as no_null_check, in a static function in .text
 * leaked         Unreleased reference, BPF_EXIT instruction in main prog would lead to reference leak
 * endless        infinite loop detected
 * bad_stack      invalid write to stack R10 off=-520
 *
 * Newer kernels want no null check behind a constant key of an array: the keys of these two are arguments.
 */
#include "debpf_test.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64[8]);
} values SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

SEC("raw_tp")
int good(u64 *args)
{
	u32 key = 0;
	u64 *value = bpf_map_lookup_elem(&values, &key);

	return value ? value[3] : 0;
}

SEC("raw_tp")
int unbounded(u64 *args)
{
	u32 key = 0;
	u64 *value = bpf_map_lookup_elem(&values, &key);

	if (!value)
		return 0;
	return value[args[0]]; /* wrong */
}

SEC("raw_tp")
int no_null_check(u64 *args)
{
	u32 key = args[0];
	u64 *value = bpf_map_lookup_elem(&values, &key);

	return value[1]; /* wrong */
}

static NOINLINE u64 first_of(u32 key)
{
	u64 *value = bpf_map_lookup_elem(&values, &key);

	return *value; /* wrong */
}

SEC("raw_tp")
int in_subprogram(u64 *args)
{
	return first_of(args[0]);
}

SEC("raw_tp")
int leaked(u64 *args)
{
	u64 *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0); /* wrong */

	if (record)
		*record = 1;
	return 0;
}

SEC("raw_tp")
int endless(u64 *args)
{
	asm volatile("r1 = 1\n"
		     "if r1 != 0 goto -1\n" ::
			     : "r1"); /* wrong */
	return 0;
}

SEC("raw_tp")
int bad_stack(u64 *args)
{
	asm volatile("r1 = 1\n"
		     "*(u64 *)(r10 - 520) = r1\n" ::
			     : "r1", "memory"); /* wrong */
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

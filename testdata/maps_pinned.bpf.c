/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A map that asks to be pinned by its name, beside one that says that it does not. Linux 5.12 (atomic fetch).
 * `count` (BPF_PROG_TEST_RUN, raw_tp) adds 1 to debpf_test_pinned[0] and returns what it was before.
 */
#include "debpf_test.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, u32);
	__type(value, u64);
} debpf_test_pinned SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, 0);
	__type(key, u32);
	__type(value, u64);
} debpf_test_unpinned SEC(".maps");

SEC("raw_tp")
int count(void *ctx)
{
	u32 first = 0;
	u64 *value = bpf_map_lookup_elem(&debpf_test_pinned, &first);

	return value ? __sync_fetch_and_add(value, 1) : 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

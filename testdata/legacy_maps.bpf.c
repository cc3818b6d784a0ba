/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A map as it was declared before BTF, in a section `maps`: libbpf 1.0 and newer refuse the object.
 */
#include "debpf_test.h"

struct bpf_map_def {
	u32 type, key_size, value_size, max_entries, map_flags;
};

struct bpf_map_def old_map SEC("maps") = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 1,
};

SEC("raw_tp")
int lookup(void *ctx)
{
	u32 key = 0;
	u64 *value = bpf_map_lookup_elem(&old_map, &key);

	return value ? *value : 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

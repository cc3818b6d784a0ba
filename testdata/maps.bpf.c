/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Map definitions in the forms that BTF allows. Linux 5.16 (bloom filter; the rest 5.10). `touch` runs with
 * BPF_PROG_TEST_RUN (raw_tp) and leaves, with ctx_in `u64 args[2]` = {n, -}:
 *	by_struct[{ family = FAMILY_INET6, address = {1..16}, port = 443 }] = { packets = n, bytes = n << 33, ratio 0.0, state =
 *	STATE_OPEN, name = "touched", history = {n, n + 1, n + 2, n + 3} };  array_of_struct[1].packets = n;  counters (per CPU) [0] += n;
 *	queue and stack got n and n + 1;  by_enum[FAMILY_INET] = -n
 */
#include "debpf_test.h"

enum family {
	FAMILY_NONE,
	FAMILY_INET = 2,
	FAMILY_INET6 = 10,
};

typedef enum {
	STATE_OPEN = 1,
	STATE_CLOSED,
} state_t;

typedef u64 counter_t;
typedef const counter_t const_counter_t;

struct flow_key {
	enum family family;
	u8 address[16];
	u16 port;
	u16 reserved;
};

struct flow {
	u64 packets;
	counter_t bytes;
	double ratio;
	state_t state;
	char name[12];
	u32 history[4];
	union {
		u32 word;
		u8 octets[4];
	} mark;
	struct {
		s16 low;
		s16 high;
	} range;
	u32 urgent : 1;
	u32 priority : 3;
	s32 offset : 12;
};

/* Types and values as BTF. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct flow_key);
	__type(value, struct flow);
} by_struct SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, enum family);
	__type(value, s64);
} by_enum SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct flow);
} array_of_struct SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, const_counter_t);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8);
	__type(key, u64);
	__type(value, u32[3]);
} percpu_hash SEC(".maps");

/* Sizes alone; in another order, and max_entries last. */
struct {
	__uint(key_size, 6);
	__uint(value_size, 20);
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 100);
} lru_by_size SEC(".maps");

/* Sizes and types that agree. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 100);
	__uint(map_flags, BPF_F_NO_COMMON_LRU);
	__uint(key_size, sizeof(u32));
	__type(key, u32);
	__type(value, counter_t);
	__uint(value_size, sizeof(counter_t));
} lru_percpu SEC(".maps");

struct prefix {
	u32 length;
	u8 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 32);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, u32);
} routes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__uint(map_flags, BPF_F_NUMA_NODE);
	__uint(numa_node, 0);
	__type(key, u32);
	__type(value, u32);
} on_node_0 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, u32);
	__type(value, char[32]);
} read_only SEC(".maps");

/* No key. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8);
	__type(value, u32);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 8);
	__uint(value_size, 4);
} stack SEC(".maps");

/* map_extra: the number of hash functions. */
struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 64);
	__uint(map_extra, 5);
	__type(value, u32);
} bloom SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 64);
	__ulong(map_extra, 4);
	__type(value, u32);
} bloom_by_enum SEC(".maps");

/* Rounded up to a power of two of pages: 8192 where pages have 4096 bytes. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 5000);
} ring SEC(".maps");

/* No max_entries: as many as there are possible CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
} perf_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__uint(key_size, sizeof(u32));
	__uint(value_size, 127 * sizeof(u64));
} stacks SEC(".maps");

/* A prog array without contents. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u32);
} programs SEC(".maps");

/* Maps in maps: the inner definition in place, and by name. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 8);
	__type(key, u64);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_HASH);
		__uint(max_entries, 32);
		__type(key, u32);
		__type(value, struct flow);
	});
} hash_of_maps SEC(".maps");

struct inner_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
	__array(values, struct inner_ring);
} array_of_rings SEC(".maps");

/* One definition, two maps; a name of more than 15 bytes. */
struct definition {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} a_map_with_a_long_name_1 SEC(".maps"), a_map_with_a_long_name_2 SEC(".maps");

static long (*bpf_map_push_elem)(void *map, const void *value, u64 flags) = (void *)87;

SEC("raw_tp")
int touch(u64 *args)
{
	struct flow_key key = { .family = FAMILY_INET6, .port = 443 };
	struct flow flow = { .packets = args[0], .bytes = args[0] << 33, .state = STATE_OPEN, .name = "touched" };
	enum family family = FAMILY_INET;
	s64 negative = -args[0];
	struct flow *slot;
	u64 *counter;
	u32 n = args[0];
	u32 zero = 0;
	u32 one = 1;

	for (int i = 0; i < 16; i++)
		key.address[i] = i + 1;
	for (int i = 0; i < 4; i++)
		flow.history[i] = n + i;
	bpf_map_update_elem(&by_struct, &key, &flow, BPF_ANY);
	bpf_map_update_elem(&by_enum, &family, &negative, BPF_ANY);
	slot = bpf_map_lookup_elem(&array_of_struct, &one);
	if (slot)
		slot->packets = n;
	counter = bpf_map_lookup_elem(&counters, &zero);
	if (counter)
		*counter += n;
	bpf_map_push_elem(&queue, &n, BPF_ANY);
	bpf_map_push_elem(&stack, &n, BPF_ANY);
	n++;
	bpf_map_push_elem(&queue, &n, BPF_ANY);
	bpf_map_push_elem(&stack, &n, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

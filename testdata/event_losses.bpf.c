/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Programs that count the events that they could not send: in a variable, and in a per-CPU array. Rings of one page hold
 * 102 records of 32 bytes (40 with their header).
 *
 * emit            raw_tp, by test run: args[0] = n records into `events`; record i is { number = i, text = "lost?" }
 * emit_per_cpu    raw_tp, by test run: the same into `counted_by_map`
 * emit_on_exec    tp/sched/sched_process_exec: 150 records into `events` for each exec
 */
#include "../examples/include/debpf.h"
#include "debpf_test.h"

struct small_event {
	u64 number;
	char text[24];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps"), counted_by_map SEC(".maps");

DEBPF_EVENT(events, small_event);
DEBPF_LOST(events);

DEBPF_EVENT(counted_by_map, small_event);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} failures DEBPF_DECL_TAG("debpf:lost:counted_by_map") SEC(".maps");

static INLINE int send(void *ring, u32 number)
{
	struct small_event *event = bpf_ringbuf_reserve(ring, sizeof(*event), 0);

	if (!event)
		return 1;
	event->number = number;
	__builtin_memset(event->text, 0, sizeof(event->text));
	__builtin_memcpy(event->text, "lost?", 6);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("raw_tp")
int emit(u64 *args)
{
	u32 n = args[0];

	for (u32 i = 0; i < 1000; i++) {
		if (i >= n)
			break;
		if (send(&events, i))
			DEBPF_COUNT_LOST(events);
	}
	return 0;
}

SEC("raw_tp")
int emit_per_cpu(u64 *args)
{
	u32 n = args[0], key = 0;
	u64 *count = bpf_map_lookup_elem(&failures, &key);

	if (!count)
		return 1;
	for (u32 i = 0; i < 1000; i++) {
		if (i >= n)
			break;
		if (send(&counted_by_map, i))
			++*count;
	}
	return 0;
}

SEC("tp/sched/sched_process_exec")
int emit_on_exec(void *context)
{
	for (u32 i = 0; i < 150; i++) {
		if (send(&events, i))
			DEBPF_COUNT_LOST(events);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

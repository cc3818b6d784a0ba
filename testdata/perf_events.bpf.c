/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A perf event array, which is what programs sent events through before ring buffers. Each program runs with
 * BPF_PROG_TEST_RUN (raw_tp, Linux 5.10; ctx_in: `u64 args[2]`) on the CPU that the caller asks for.
 *
 * emit          events: args[0] = n structs (at most 1000) { number = args[1] + i, cpu, text = "perf" }; gives how many
 *               bpf_perf_event_output refused
 * emit_two      two_kinds: a struct long_event (40 bytes), then a struct short_event (12 bytes)
 * emit_sized    sized: one record of args[0] bytes (1 to 512), byte i being (args[1] + i) & 0xff
 */
#include "../examples/include/debpf.h"
#include "debpf_test.h"

#define BPF_F_CURRENT_CPU 0xffffffffULL

static long (*bpf_perf_event_output)(void *ctx, void *map, u64 flags, void *data, u64 size) = (void *)25;

struct perf_sample {
	u64 number;
	u32 cpu;
	char text[8];
};

struct long_event {
	u64 words[5];
};

struct short_event {
	u32 a;
	u32 b;
	u32 c;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} events SEC(".maps"), two_kinds SEC(".maps"), sized SEC(".maps");

DEBPF_EVENT(events, perf_sample);
DEBPF_EVENT(two_kinds, long_event);
DEBPF_EVENT(two_kinds, short_event);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__uint(value_size, 512);
} scratch SEC(".maps");

SEC("raw_tp")
int emit(u64 *args)
{
	struct perf_sample event = { .cpu = bpf_get_smp_processor_id(), .text = "perf" };
	u32 n = args[0];
	u64 first = args[1];
	u32 refused = 0;

	for (u32 i = 0; i < 1000; i++) {
		if (i >= n)
			break;
		event.number = first + i;
		if (bpf_perf_event_output(args, &events, BPF_F_CURRENT_CPU, &event, sizeof(event)))
			refused++;
	}
	return refused;
}

SEC("raw_tp")
int emit_two(u64 *args)
{
	struct long_event longer = { .words = { args[0], 1, 2, 3, 4 } };
	struct short_event shorter = { .a = args[0], .b = 5, .c = 6 };

	bpf_perf_event_output(args, &two_kinds, BPF_F_CURRENT_CPU, &longer, sizeof(longer));
	bpf_perf_event_output(args, &two_kinds, BPF_F_CURRENT_CPU, &shorter, sizeof(shorter));
	return 0;
}

SEC("raw_tp")
int emit_sized(u64 *args)
{
	u32 key = 0;
	u64 size = args[0];
	u8 first = args[1];
	u8 *bytes = bpf_map_lookup_elem(&scratch, &key);

	if (!bytes)
		return 1;
	for (u32 i = 0; i < 512; i++)
		bytes[i] = first + i;
	if (size > 512)
		return 1;
	/* As one comparison of size - 1 it would tell verifiers before Linux 6.13 nothing about size. */
	asm volatile("" : "+r"(size));
	if (size < 1)
		return 1;
	return bpf_perf_event_output(args, &sized, BPF_F_CURRENT_CPU, bytes, size);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * As ring_truth, with records of 64 sizes that look random, by bpf_ringbuf_output: of a small ring, which wraps at other
 * places each time. `produce` runs with BPF_PROG_TEST_RUN (syscall, bpf_loop: Linux 5.17) and writes args.count records
 * numbered from args.first on, of producer args.producer (0 to 7): { number, producer, check, words[n] }, n being
 * (number * 2654435761 >> 16) & 63, words[i] = number * 31 + i, check the XOR of all others. args.dropped of them did not fit.
 */
#include "debpf_test.h"

#define MOST_WORDS 63

struct numbered_record {
	u32 number;
	u32 producer;
	u32 check;
	u32 words[MOST_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, u32);
	__type(value, struct numbered_record);
} scratch SEC(".maps");

struct produce_args {
	u32 producer;
	u32 count;
	u32 first;
	u32 dropped;
	u32 discarded;
};

static long produce_one(u32 index, struct produce_args *args)
{
	u32 producer = args->producer;
	u32 number = args->first + index;
	u32 length = ((number * 2654435761u) >> 16) & MOST_WORDS;
	struct numbered_record *record = bpf_map_lookup_elem(&scratch, &producer);
	u32 check = number ^ producer;

	if (!record)
		return 1;
	for (u32 i = 0; i < MOST_WORDS; i++) {
		u32 word = number * 31 + i;

		if (i >= length)
			break;
		record->words[i] = word;
		check ^= word;
	}
	record->number = number;
	record->producer = producer;
	record->check = check;
	if (bpf_ringbuf_output(&records, record, 12 + length * 4, 0))
		args->dropped++;
	return 0;
}

SEC("syscall")
int produce(struct produce_args *args)
{
	struct produce_args copy = *args;

	bpf_loop(copy.count, produce_one, &copy, 0);
	args->dropped = copy.dropped;
	args->discarded = 0;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Numbered records for a reader that runs at the same time. `produce` runs with BPF_PROG_TEST_RUN (syscall, bpf_loop:
 * Linux 5.17) and makes args.count records numbered from args.first on, of the kinds short, usual, long in turn (of 20,
 * 36 and 256 bytes; number % 3) with
 *	number, producer = args.producer, check = number ^ producer ^ words[0] ^ words[1] ..., words[i] = number * 31 + i
 * Every 13th (number % 13 == 0) is discarded. Afterwards args.dropped tells how many did not fit, args.discarded how many
 * did and were discarded: both miss in the sequence.
 *
 * quiet    discards a record, then submits a short one { number = args.first }, waking nobody (BPF_RB_NO_WAKEUP), then
 *          submits one { number = args.first + 1 } that would wake whoever has read all before it
 * empty    one record of 0 bytes
 * largest  one record as large as a ring of 4096 bytes can hold: 4080 bytes, the last one 0xff
 */
#include "../examples/include/debpf.h"
#include "debpf_test.h"

#define NUMBERED(type, count)                                                                                          \
	struct type {                                                                                                  \
		u32 number;                                                                                            \
		u32 producer;                                                                                          \
		u32 check;                                                                                             \
		u32 words[count];                                                                                      \
	}

NUMBERED(short_record, 2);
NUMBERED(usual_record, 6);
NUMBERED(long_record, 61);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} records SEC(".maps");

DEBPF_EVENT(records, short_record);
DEBPF_EVENT(records, usual_record);
DEBPF_EVENT(records, long_record);

struct produce_args {
	u32 producer;
	u32 count;
	u32 first;
	u32 dropped;
	u32 discarded;
};

#define WRITE(type, length)                                                                                            \
	do {                                                                                                           \
		struct type *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);                               \
		u32 check = number ^ args->producer;                                                                   \
		if (!record) {                                                                                         \
			args->dropped++;                                                                               \
			return 0;                                                                                      \
		}                                                                                                      \
		if (number % 13 == 0) {                                                                                \
			args->discarded++;                                                                             \
			bpf_ringbuf_discard(record, 0);                                                                \
			return 0;                                                                                      \
		}                                                                                                      \
		record->number = number;                                                                               \
		record->producer = args->producer;                                                                     \
		for (int i = 0; i < length; i++) {                                                                     \
			u32 word = number * 31 + i;                                                                    \
			record->words[i] = word;                                                                       \
			check ^= word;                                                                                 \
		}                                                                                                      \
		record->check = check;                                                                                 \
		bpf_ringbuf_submit(record, 0);                                                                         \
	} while (0)

static long produce_one(u32 index, struct produce_args *args)
{
	u32 number = args->first + index;

	if (number % 3 == 0)
		WRITE(short_record, 2);
	else if (number % 3 == 1)
		WRITE(usual_record, 6);
	else
		WRITE(long_record, 61);
	return 0;
}

SEC("syscall")
int produce(struct produce_args *args)
{
	struct produce_args copy = *args;

	bpf_loop(copy.count, produce_one, &copy, 0);
	args->dropped = copy.dropped;
	args->discarded = copy.discarded;
	return 0;
}

SEC("syscall")
int quiet(struct produce_args *args)
{
	struct short_record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record)
		return 1;
	bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
	for (int i = 0; i < 2; i++) {
		record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
		if (!record)
			return 1;
		record->number = args->first + i;
		record->producer = args->producer;
		record->words[0] = record->words[1] = 0;
		record->check = record->number ^ record->producer;
		bpf_ringbuf_submit(record, i == 0 ? BPF_RB_NO_WAKEUP : 0);
	}
	return 0;
}

SEC("syscall")
int empty(void *args)
{
	void *record = bpf_ringbuf_reserve(&records, 0, 0);

	if (!record)
		return 1;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("syscall")
int largest(void *args)
{
	u8 *record = bpf_ringbuf_reserve(&records, 4080, 0);

	if (!record)
		return 1;
	record[4079] = 0xff;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Fills a ring buffer for the bench: `fill` runs with BPF_PROG_TEST_RUN (syscall, bpf_loop: Linux 5.17) and writes
 * args.count records of 64 bytes without waking anybody; args.dropped of them did not fit. Record i of the run:
 * { sequence = i, time = i * 1000, pid = i & 0x7fff, cpu = i & 7, delta = -i, comm = "bench", 16 bytes of 0 }
 */
#include "../examples/include/debpf.h"
#include "debpf_test.h"

struct bench_record {
	u64 sequence;
	u64 time;
	u32 pid;
	u32 cpu;
	s64 delta;
	char comm[16];
	u8 reserved[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} records SEC(".maps");

DEBPF_EVENT(records, bench_record);

struct fill_args {
	u64 count;
	u64 dropped;
};

static long write_record(u32 index, u64 *dropped)
{
	struct bench_record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record) {
		++*dropped;
		return 0;
	}
	__builtin_memset(record, 0, sizeof(*record));
	record->sequence = index;
	record->time = (u64)index * 1000;
	record->pid = index & 0x7fff;
	record->cpu = index & 7;
	record->delta = -(s64)index;
	__builtin_memcpy(record->comm, "bench", 6);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("syscall")
int fill(struct fill_args *args)
{
	u64 dropped = 0;

	bpf_loop(args->count, write_record, &dropped, 0);
	args->dropped = dropped;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Wake-ups of a ring buffer's reader. Each program runs with BPF_PROG_TEST_RUN (raw_tp, Linux 5.10):
 *
 * submit        args[0] = number of the record { number }, args[1] = flags of bpf_ringbuf_submit
 * discard       one record, args[1] = flags of bpf_ringbuf_discard
 */
#include "../examples/include/debpf.h"
#include "debpf_test.h"

struct numbered {
	u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

DEBPF_EVENT(events, numbered);

SEC("raw_tp")
int submit(u64 *args)
{
	u64 number = args[0], flags = args[1];
	struct numbered *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 1;
	event->number = number;
	bpf_ringbuf_submit(event, flags);
	return 0;
}

SEC("raw_tp")
int discard(u64 *args)
{
	u64 flags = args[1];
	void *event = bpf_ringbuf_reserve(&events, 100, 0);

	if (!event)
		return 1;
	bpf_ringbuf_discard(event, flags);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Records that say when they were sent, for the bench of waiting: `send` runs with BPF_PROG_TEST_RUN (raw_tp, Linux 5.10)
 * and sends one { time = bpf_ktime_get_ns(), number }; what does not fit is counted.
 */
#include "../examples/include/debpf.h"
#include "debpf_test.h"

struct stamp {
	u64 time;
	u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} stamps SEC(".maps");

DEBPF_EVENT(stamps, stamp);
DEBPF_LOST(stamps);

u64 number;

SEC("raw_tp")
int send(u64 *args)
{
	struct stamp *stamp = bpf_ringbuf_reserve(&stamps, sizeof(*stamp), 0);

	if (!stamp) {
		DEBPF_COUNT_LOST(stamps);
		return 1;
	}
	stamp->number = number++;
	stamp->time = bpf_ktime_get_ns();
	bpf_ringbuf_submit(stamp, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

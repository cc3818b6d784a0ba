/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Takes what user space sends (bpf_user_ringbuf_drain, Linux 6.1). `take` runs with BPF_PROG_TEST_RUN (syscall): its result
 * is how many records there were, discarded ones not counted. What it saw is in global variables:
 *
 *	taken		records of 16 bytes or more; `last` is the last of them, `sum` the sum of their values
 *	out_of_order	those whose value is not one more than that of the one before
 *	shorter		records of less
 */
#include "debpf_test.h"

struct command {
	u32 kind;
	u32 value;
	char text[8];
};

struct bpf_dynptr {
	u64 opaque[2];
};

#define BPF_MAP_TYPE_USER_RINGBUF 31

static long (*bpf_dynptr_read)(void *dst, u32 len, void *src, u32 offset, u64 flags) = (void *)201;
static long (*bpf_user_ringbuf_drain)(void *map, void *callback, void *context, u64 flags) = (void *)209;

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} commands SEC(".maps");

struct command last;
u64 taken, sum, out_of_order, shorter;

static long take_one(struct bpf_dynptr *record, void *context)
{
	struct command command;

	if (bpf_dynptr_read(&command, sizeof(command), record, 0, 0)) {
		shorter++;
		return 0;
	}
	if (taken && command.value != last.value + 1)
		out_of_order++;
	taken++;
	sum += command.value;
	last = command;
	return 0;
}

SEC("syscall")
int take(void *context)
{
	return bpf_user_ringbuf_drain(&commands, take_one, NULL, 0);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A prog array whose contents are declared, with a known result. Linux 5.10. Runs with BPF_PROG_TEST_RUN, type
 * raw_tp; ctx_in: `u64 args[2]`.
 *
 * enter(args = {0, -})  ->  1000   targets[0] = leave_with_1000
 * enter(args = {1, -})  ->  7      targets[1] is empty: the tail call falls through
 * enter(args = {2, -})  ->  2000   targets[2] = leave_with_2000
 */
#include "debpf_test.h"

int leave_with_1000(u64 *args);
int leave_with_2000(u64 *args);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 3);
	__uint(key_size, sizeof(u32));
	__array(values, int(u64 *));
} targets SEC(".maps") = {
	.values = { [0] = (void *)&leave_with_1000, [2] = (void *)&leave_with_2000 },
};

SEC("raw_tp")
int leave_with_1000(u64 *args)
{
	return 1000;
}

SEC("raw_tp")
int enter(u64 *args)
{
	bpf_tail_call(args, &targets, args[0]);
	return 7;
}

SEC("raw_tp")
int leave_with_2000(u64 *args)
{
	return 2000;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Relocations that no kernel can satisfy and that are reached: the object relocates (poisoned instructions), the kernel
 * refuses the programs. `fine` alone loads. The log says `call unknown#195896080`, or `invalid func unknown#195896080`.
 */
#include "debpf_test.h"

u64 result;

struct task_struct {
	int pid;
	u64 not_a_member;
} KERNEL;

struct in_no_kernel {
	u64 a;
} KERNEL;

enum pid_type {
	PIDTYPE_IN_NO_KERNEL = 9,
};

static NOINLINE u64 read_in_subprogram(void *task)
{
	return core_read((struct task_struct *)task, not_a_member);
}

SEC("raw_tp")
int fine(void *ctx)
{
	result = core_read((struct task_struct *)bpf_get_current_task(), pid);
	return 0;
}

SEC("raw_tp")
int missing_member(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	result = core_read(task, pid);
	result += core_read(task, not_a_member);
	return 0;
}

SEC("raw_tp")
int missing_type(void *ctx)
{
	result = core_read((struct in_no_kernel *)bpf_get_current_task(), a);
	return 0;
}

SEC("raw_tp")
int missing_value(void *ctx)
{
	result = core_enum_value(enum pid_type, PIDTYPE_IN_NO_KERNEL);
	return 0;
}

SEC("raw_tp")
int missing_in_subprogram(void *ctx)
{
	result = read_in_subprogram((void *)bpf_get_current_task());
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Kernel symbols: typeless (address from kallsyms), typed (per-CPU variable of vmlinux's BTF), a weak one that is
 * missing, and kernel functions, of which the missing one is weak. Linux 6.2. Runs with BPF_PROG_TEST_RUN:
 *
 * addresses (raw_tp)   ->  0;  schedule_address as /proc/kallsyms says, missing = 0
 * functions (syscall)  ->  0;  found = 1
 */
#include "debpf_test.h"

/* Defined, however little of it: a forward declaration is not compatible with the kernel's struct. */
struct task_struct {
	int pid;
} KERNEL;

extern const void schedule __ksym;
extern const void in_no_kernel __ksym WEAK;
extern const int bpf_prog_active __ksym;

extern struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
extern int bpf_in_no_kernel(int a) __ksym WEAK;

u64 schedule_address;
u64 missing = 1;
u32 found;

SEC("raw_tp")
int addresses(void *ctx)
{
	schedule_address = (u64)&schedule;
	missing = (u64)&in_no_kernel;
	return 0;
}

/* Not loaded unless asked for: a kernel without CONFIG_KALLSYMS_ALL has the variable's BTF, but not its address. */
SEC("?raw_tp")
int typed_address(void *ctx)
{
	schedule_address = (u64)&bpf_prog_active;
	return 0;
}

SEC("syscall")
int functions(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(bpf_get_current_pid_tgid());

	if (task) {
		found = 1;
		bpf_task_release(task);
	}
	if (bpf_in_no_kernel)
		found += bpf_in_no_kernel(1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

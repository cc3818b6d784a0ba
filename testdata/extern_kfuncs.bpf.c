/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Kernel functions, weak and strong, and questions whether they are there (bpf_ksym_exists of libbpf). Run by
 * BPF_PROG_TEST_RUN:
 *
 * cpumask  (syscall, 6.13)  ->  0;  has_cpu = 1, has_other = 0
 * task     (syscall, 6.12)  ->  pid of the thread that runs it; signature = 1
 * exists   (syscall, 6.4)   ->  bit 0: a weak function that is there, bit 1: one that is not, bit 2: one with other
 *                               parameters, bit 3: a weak address that is there, bit 4: one that is not, bit 5: a weak
 *                               variable that is not; so 9. Bit 6: a function of a module that is not loaded, or is
 * per_cpu  (raw_tp, 5.10)   ->  number of CPUs whose run queue knows its number; argument 0: how many to ask. The
 *                               kernel needs CONFIG_KALLSYMS_ALL
 */
#include "debpf_test.h"

static void *(*bpf_per_cpu_ptr)(const void *variable, u32 cpu) = (void *)153;

/* Defined, however little of it: a forward declaration is not compatible with the kernel's struct. */
struct cpumask {
	unsigned long bits[1];
} KERNEL;
struct bpf_cpumask {
	struct cpumask cpumask;
} KERNEL;
struct task_struct {
	int pid;
} KERNEL;
struct rq {
	int cpu;
} KERNEL;
struct nf_conn {
	u32 timeout;
} KERNEL;

extern struct bpf_cpumask *bpf_cpumask_create(void) __ksym WEAK;
extern void bpf_cpumask_release(struct bpf_cpumask *mask) __ksym WEAK;
extern void bpf_cpumask_set_cpu(u32 cpu, struct bpf_cpumask *mask) __ksym WEAK;
extern _Bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *mask) __ksym WEAK;

extern struct task_struct *bpf_task_from_pid(s32 pid) __ksym WEAK;
extern void bpf_task_release(struct task_struct *task) __ksym WEAK;
/* Two signatures of one function, of which the kernel has one. */
extern struct task_struct *bpf_task_acquire___one(struct task_struct *task) __ksym WEAK;
extern struct task_struct *bpf_task_acquire___two(struct task_struct *task, int more) __ksym WEAK;

extern void bpf_in_no_kernel(int a) __ksym WEAK;
extern void bpf_ct_release(struct nf_conn *connection) __ksym WEAK;
extern const void schedule __ksym WEAK;
extern const void in_no_kernel __ksym WEAK;
extern const int variable_in_no_kernel __ksym WEAK;
extern const struct rq runqueues __ksym WEAK;

u32 has_cpu;
u32 has_other = 1;
u32 signature;

SEC("syscall")
int cpumask(void *ctx)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();

	if (!mask)
		return 1;
	bpf_cpumask_set_cpu(0, mask);
	has_cpu = bpf_cpumask_test_cpu(0, (const struct cpumask *)mask);
	has_other = bpf_cpumask_test_cpu(1, (const struct cpumask *)mask);
	bpf_cpumask_release(mask);
	return 0;
}

SEC("syscall")
int task(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(bpf_get_current_pid_tgid());
	struct task_struct *again = NULL;
	int pid = 0;

	if (!task)
		return 0;
	if (bpf_task_acquire___two) {
		signature = 2;
		again = bpf_task_acquire___two(task, 1);
	} else if (bpf_task_acquire___one) {
		signature = 1;
		again = bpf_task_acquire___one(task);
	}
	if (again) {
		pid = again->pid;
		bpf_task_release(again);
	}
	bpf_task_release(task);
	return pid;
}

SEC("syscall")
int exists(void *ctx)
{
	int found = 0;

	if (bpf_task_release)
		found |= 1;
	if (bpf_in_no_kernel)
		found |= 2;
	if (bpf_task_acquire___two)
		found |= 4;
	if (&schedule)
		found |= 8;
	if (&in_no_kernel)
		found |= 16;
	if (&variable_in_no_kernel)
		found |= 32;
	if (bpf_ct_release)
		found |= 64;
	return found;
}

SEC("?raw_tp")
int per_cpu(u64 *args)
{
	u32 right = 0;

	for (u32 cpu = 0; cpu < 64 && cpu < args[0]; cpu++) {
		const struct rq *queue = bpf_per_cpu_ptr(&runqueues, cpu);

		if (queue && queue->cpu == (int)cpu)
			right++;
	}
	return right;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Relocations in subprograms: static, global and weak ones, behind gaps in .text, shared by programs of several
 * sections, called from each other. Runs with BPF_PROG_TEST_RUN (raw_tp, Linux 5.10).
 *
 * first, third  ->  tgid of the calling process;  results = { tgid, pid, ppid, 16 }
 * second        ->  tgid of its parent;           results = { -, -, ppid, 16 }
 */
#include "debpf_test.h"

u64 results[4];

struct task_struct___sub {
	char comm[16];
	u64 not_in_the_kernel;
	struct task_struct___sub *real_parent;
	int pid;
	int tgid;
} KERNEL;

static NOINLINE __attribute__((used)) int never_called(void)
{
	return core_read((struct task_struct___sub *)bpf_get_current_task(), not_in_the_kernel);
}

static NOINLINE u32 tgid_of(struct task_struct___sub *task)
{
	return core_read(task, tgid);
}

NOINLINE ALIGNED(256) u32 parents_tgid(void)
{
	struct task_struct___sub *task = (void *)bpf_get_current_task();

	return tgid_of(core_read(task, real_parent));
}

NOINLINE int never_called_either(int a)
{
	return a + core_field(((struct task_struct___sub *)0)->pid, FIELD_BYTE_OFFSET);
}

WEAK NOINLINE ALIGNED(64) u32 length_of_comm(void)
{
	return core_field(((struct task_struct___sub *)0)->comm, FIELD_BYTE_SIZE);
}

SEC("raw_tp")
int first(void *ctx)
{
	struct task_struct___sub *task = (void *)bpf_get_current_task();

	results[0] = tgid_of(task);
	results[1] = core_read(task, pid);
	results[2] = parents_tgid();
	results[3] = length_of_comm();
	return results[0];
}

SEC("raw_tp")
ALIGNED(128) int second(void *ctx)
{
	results[2] = parents_tgid();
	results[3] = length_of_comm();
	return results[2];
}

SEC("raw_tp/sys_enter")
int third(void *ctx)
{
	struct task_struct___sub *task = (void *)bpf_get_current_task();

	results[0] = tgid_of(task);
	results[1] = core_read(task, pid);
	results[2] = parents_tgid();
	results[3] = length_of_comm();
	return results[0];
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

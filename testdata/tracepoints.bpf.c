/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Programs of the three kinds of tracepoint attachment; Linux 5.10. All hits are of the process `watched_tgid` (.rodata;
 * 0: any), so that a test knows what to expect. counts[] by slot, and in the hash `by_section` by the slot's number:
 *
 *  0 tp/sched/sched_process_exec     one per exec; last_filename and last_pid from the record
 *  1 raw_tp/sched_process_exec       one per exec; last_raw_pid from the task, last_raw_filename
 *  2 tp_btf/sched_process_exec       one per exec; last_btf_pid and last_btf_filename, read by direct loads
 *  3 tp/syscalls/sys_enter_getppid   one per getppid(2)
 *  4 raw_tp/sys_enter                one per system call of number `watched_syscall` (.rodata; 110: getppid on x86_64)
 *  5 tp_btf/sys_enter                likewise
 *  6 raw_tracepoint/sys_exit         one per system call that ends, of any number (the other spelling of raw_tp); last_result
 *  7 tracepoint/sched/sched_process_exit  one per thread that ends (the other spelling of tp)
 *  8 ?tp/sched/sched_process_fork    not loaded unless asked for
 */
#include "debpf_test.h"

const volatile u32 watched_tgid = 0;
const volatile u64 watched_syscall = 110;

u64 counts[9];
s32 last_pid;
s32 last_raw_pid;
s32 last_btf_pid;
s64 last_result;
char last_filename[64];
char last_raw_filename[64];
char last_btf_filename[64];

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u64);
} by_section SEC(".maps");

struct task_struct {
	int pid;
	int tgid;
} KERNEL;

struct linux_binprm {
	const char *filename;
} KERNEL;

struct trace_event_raw_sched_process_exec {
	u32 __data_loc_filename;
	s32 pid;
} KERNEL;

struct pt_regs;

static INLINE int unwatched(void)
{
	return watched_tgid && watched_tgid != bpf_get_current_pid_tgid() >> 32;
}

static NOINLINE void count(u32 slot)
{
	u64 *value = bpf_map_lookup_elem(&by_section, &slot);
	u64 one = 1;

	if (slot < 9)
		__sync_fetch_and_add(&counts[slot], 1);
	if (value)
		__sync_fetch_and_add(value, 1);
	else
		bpf_map_update_elem(&by_section, &slot, &one, BPF_ANY);
}

SEC("tp/sched/sched_process_exec")
int tp_exec(struct trace_event_raw_sched_process_exec *ctx)
{
	if (unwatched())
		return 0;
	/* The low half of a __data_loc is the offset in the record. */
	bpf_probe_read_kernel_str(last_filename, sizeof(last_filename), (void *)ctx + (ctx->__data_loc_filename & 0xffff));
	last_pid = ctx->pid;
	count(0);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int raw_exec(u64 *args)
{
	const char *filename = core_read((struct linux_binprm *)args[2], filename);

	if (unwatched())
		return 0;
	last_raw_pid = core_read((struct task_struct *)args[0], pid);
	bpf_probe_read_kernel_str(last_raw_filename, sizeof(last_raw_filename), filename);
	count(1);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int btf_exec(u64 *args)
{
	struct task_struct *task = (void *)args[0];
	struct linux_binprm *binary = (void *)args[2];

	if (unwatched())
		return 0;
	last_btf_pid = task->pid;
	bpf_probe_read_kernel_str(last_btf_filename, sizeof(last_btf_filename), binary->filename);
	count(2);
	return 0;
}

SEC("tp/syscalls/sys_enter_getppid")
int tp_getppid(void *ctx)
{
	if (!unwatched())
		count(3);
	return 0;
}

SEC("raw_tp/sys_enter")
int raw_enter(u64 *args)
{
	if (args[1] == watched_syscall && !unwatched())
		count(4);
	return 0;
}

SEC("tp_btf/sys_enter")
int btf_enter(u64 *args)
{
	if (args[1] == watched_syscall && !unwatched())
		count(5);
	return 0;
}

SEC("raw_tracepoint/sys_exit")
int raw_exit(u64 *args)
{
	if (unwatched())
		return 0;
	last_result = args[1];
	count(6);
	return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int tp_exit(void *ctx)
{
	if (!unwatched())
		count(7);
	return 0;
}

SEC("?tp/sched/sched_process_fork")
int disabled(void *ctx)
{
	count(8);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Programs for each way of attaching to the kernel's own functions, tracepoints and hooks. All of them see only the process
 * `watched_tgid` (.rodata), and write down in seen[] by slot how often they ran, what they saw the last time, and their
 * cookie. What they are on is called by fallocate(2) (vfs_fallocate(file, mode, offset, length), the same in all kernels),
 * getpgid(2) and mkdir(2).
 *
 * Registers: `register_at` (.rodata) has the offsets in struct pt_regs of the first four arguments and of the result; those
 * of x86_64 unless a test says otherwise.
 *
 * No program is loaded unless asked for, so that a kernel need have only what a test wants of it. Programs of slot n read
 * cookies (bpf_get_attach_cookie) only if bit n of `with_cookie` (.rodata) is set: older kernels have none for some.
 */
#include "debpf_test.h"

const volatile u32 watched_tgid = 0;
const volatile u32 with_cookie = 0;
const volatile u32 register_at[5] = { 112, 104, 96, 88, 80 };
/* What fmod_ret and lsm programs answer. */
const volatile s32 answer = 0;

static u64 (*bpf_get_attach_cookie)(void *ctx) = (void *)174;

struct seen {
	u64 count;
	u64 values[4];
	u64 cookie;
} seen[25];

struct task_struct {
	int pid;
} KERNEL;

static INLINE int watched(void)
{
	return watched_tgid && watched_tgid == bpf_get_current_pid_tgid() >> 32;
}

/* A macro: the helper is there only for some types of programs, and the dead branch must not reach the others' verifier. */
#define COOKIE(slot) (with_cookie & (1U << (slot)) ? bpf_get_attach_cookie(ctx) : 0)

static INLINE void record(u32 slot, u64 a, u64 b, u64 c, u64 d, u64 cookie)
{
	__sync_fetch_and_add(&seen[slot].count, 1);
	seen[slot].values[0] = a;
	seen[slot].values[1] = b;
	seen[slot].values[2] = c;
	seen[slot].values[3] = d;
	seen[slot].cookie = cookie;
}

static INLINE u64 register_of(const void *registers, u32 index)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), registers + register_at[index & 7]);
	return value;
}

#define ARGUMENTS(slot)                                                                                                \
	record(slot, register_of(ctx, 1), register_of(ctx, 2), register_of(ctx, 3), 0, COOKIE(slot))
#define RESULT(slot) record(slot, register_of(ctx, 4), 0, 0, 0, COOKIE(slot))

SEC("?kprobe/vfs_fallocate")
int on_kprobe(void *ctx)
{
	if (watched())
		ARGUMENTS(0);
	return 0;
}

SEC("?kretprobe/vfs_fallocate")
int on_kretprobe(void *ctx)
{
	if (watched())
		RESULT(1);
	return 0;
}

/* The wrapper's only argument points to the registers that user space called with. */
SEC("?ksyscall/getpgid")
int on_ksyscall(void *ctx)
{
	if (watched())
		record(2, register_of((void *)register_of(ctx, 0), 0), 0, 0, 0, COOKIE(2));
	return 0;
}

SEC("?kretsyscall/getpgid")
int on_kretsyscall(void *ctx)
{
	if (watched())
		RESULT(3);
	return 0;
}

SEC("?kprobe.multi/vfs_fall?c*")
int on_kprobe_multi(void *ctx)
{
	if (watched())
		ARGUMENTS(4);
	return 0;
}

SEC("?kretprobe.multi/vfs_fall?c*")
int on_kretprobe_multi(void *ctx)
{
	if (watched())
		RESULT(5);
	return 0;
}

/* Runs at both ends: at the begin it says with 0 that it wants the end, too. */
SEC("?kprobe.session/vfs_fallocate")
int on_kprobe_session(void *ctx)
{
	if (watched())
		record(6, register_of(ctx, 4), 0, 0, 0, COOKIE(6));
	return 0;
}

SEC("?fentry/vfs_fallocate")
int on_fentry(u64 *ctx)
{
	if (watched())
		record(7, (s32)ctx[1], ctx[2], ctx[3], 0, COOKIE(7));
	return 0;
}

SEC("?fexit/vfs_fallocate")
int on_fexit(u64 *ctx)
{
	if (watched())
		record(8, (s32)ctx[1], ctx[2], ctx[3], (s64)(s32)ctx[4], COOKIE(8));
	return 0;
}

SEC("?fmod_ret/security_inode_mkdir")
int on_fmod_ret(u64 *ctx)
{
	if (!watched())
		return 0;
	record(9, ctx[2] & 0xffff, 0, 0, 0, COOKIE(9));
	return answer;
}

SEC("?lsm/inode_mkdir")
int on_lsm(u64 *ctx)
{
	s32 wanted = answer;

	if (!watched())
		return 0;
	record(10, ctx[2] & 0xffff, 0, 0, 0, COOKIE(10));
	/* The verifier wants to see that it is an error number or 0. */
	return wanted == -13 ? -13 : 0;
}

struct sockaddr {
	u16 sa_family;
} KERNEL;

/* 0 forbids, 1 allows. */
SEC("?lsm_cgroup/socket_bind")
int on_lsm_cgroup(u64 *ctx)
{
	struct sockaddr *address = (void *)ctx[1];

	if (!watched())
		return 1;
	record(11, address->sa_family, (s32)ctx[2], 0, 0, 0);
	return 0;
}

SEC("?tp/syscalls/sys_enter_getpgid")
int on_tp(void *ctx)
{
	/* struct trace_event_raw_sys_enter: header of 8 bytes, number, arguments. */
	u64 pid = ((u64 *)ctx)[2];

	if (watched())
		record(12, (s32)pid, 0, 0, 0, COOKIE(12));
	return 0;
}

const volatile u64 getpgid_number = 121;

SEC("?raw_tp/sys_enter")
int on_raw_tp(u64 *ctx)
{
	if (ctx[1] == getpgid_number && watched())
		record(13, register_of((void *)ctx[0], 0), 0, 0, 0, COOKIE(13));
	return 0;
}

SEC("?tp_btf/sys_enter")
int on_tp_btf(u64 *ctx)
{
	if (ctx[1] == getpgid_number && watched())
		record(14, register_of((void *)ctx[0], 0), 0, 0, 0, COOKIE(14));
	return 0;
}

/* A test run ends with *err, which such programs may change. */
SEC("?raw_tp.w/bpf_test_finish")
int on_raw_tp_writable(u64 *ctx)
{
	s32 *err = (void *)ctx[0];

	if (!watched())
		return 0;
	record(15, (s64)*err, 0, 0, 0, 0);
	*err = answer;
	return 0;
}

/* Function of another program: victim_sum(a, b) of attach_victim.bpf.c. */
SEC("?fentry/victim_sum")
int on_program_fentry(u64 *ctx)
{
	record(16, ctx[0], ctx[1], 0, 0, COOKIE(16));
	return 0;
}

SEC("?fexit/victim_sum")
int on_program_fexit(u64 *ctx)
{
	record(17, ctx[0], ctx[1], (s64)(s32)ctx[2], 0, COOKIE(17));
	return 0;
}

SEC("?freplace/victim_product")
int on_freplace(int a, int b)
{
	record(18, a, b, 0, 0, 0);
	return a * 1000 + b;
}

/* Runs at both ends (7.0). */
SEC("?fsession/vfs_fallocate")
int on_fsession(u64 *ctx)
{
	if (watched())
		record(19, (s32)ctx[1], ctx[2], ctx[3], 0, COOKIE(19));
	return 0;
}

/* May sleep; few functions let it: this one does (6.3), which a test run of a program for functions calls with 1. */
SEC("?fentry.s/bpf_fentry_test1")
int on_sleepable(u64 *ctx)
{
	if (watched())
		record(20, (s32)ctx[0], 0, 0, 0, COOKIE(20));
	return 0;
}

/* Not all hooks let programs sleep: that of mkdir(2) does not. */
SEC("?lsm.s/inode_rmdir")
int on_sleepable_lsm(u64 *ctx)
{
	if (watched())
		record(21, 0, 0, 0, 0, COOKIE(21));
	return 0;
}

/* Of a module: the dummy network device's. */
SEC("?fentry/dummy:dummy_xmit")
int on_module_fentry(u64 *ctx)
{
	record(22, 0, 0, 0, 0, 0);
	return 0;
}

SEC("?kprobe/dummy:dummy_xmit")
int on_module_kprobe(void *ctx)
{
	record(23, 0, 0, 0, 0, 0);
	return 0;
}

/* Many functions, of which no arguments are known (7.2). */
SEC("?fentry.multi/vfs_fall?c*")
int on_fentry_multi(u64 *ctx)
{
	if (watched())
		record(24, 0, 0, 0, 0, COOKIE(24));
	return 0;
}

/* Reads no arguments, so that it may be loaded for any function. */
SEC("?fentry")
int on_any(u64 *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * execsnoop: one event for every program that starts. Loads on Linux 5.10 and newer that has BTF.
 *
 *	debpf run execsnoop.bpf.o [--set filter_uid=1000]
 *
 * It sits on the tracepoint where exec(2) can no longer fail: the new program's name, credentials and memory are in
 * place, its first instruction has not run. A failed exec makes no event.
 *
 * Needs no header but debpf.h: the few kernel structs and helpers that it uses are declared here, so that the file can
 * be copied. With vmlinux.h and libbpf's headers at hand, include those instead of the first part.
 */
#include "debpf.h"

typedef unsigned int __u32;
typedef unsigned long long __u64;

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int(*name)[value]
#define BPF_MAP_TYPE_RINGBUF 27 /* Linux 5.8 */

static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static __u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static __u64 (*bpf_get_current_uid_gid)(void) = (void *)15;
static long (*bpf_get_current_comm)(void *buffer, __u32 size) = (void *)16;
static long (*bpf_probe_read_kernel)(void *buffer, __u32 size, const void *source) = (void *)113;
static long (*bpf_probe_read_kernel_str)(void *buffer, __u32 size, const void *source) = (void *)115;
static void *(*bpf_ringbuf_reserve)(void *ring, __u64 size, __u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *record, __u64 flags) = (void *)132;

/* Only the members that are read; where they are in the running kernel, its BTF tells the loader (CO-RE). */
struct task_struct {
	int tgid;
	struct task_struct *real_parent;
} __attribute__((preserve_access_index));

struct linux_binprm {
	const char *filename;
} __attribute__((preserve_access_index));

/* Copies `source->field`; zeroes the destination where the kernel cannot read it. */
#define READ(destination, source, field) bpf_probe_read_kernel(destination, sizeof(*(destination)), &(source)->field)

/* Events that fit the ring while nobody reads: about 1,800. */
#define RING_BYTES (1024 * 1024)
/* Longer paths are cut. Each event takes this much of the ring, so not PATH_MAX. */
#define PATH_BYTES 512

/* Its members are the columns of the output, in this order. */
struct exec_event {
	/* When: nanoseconds since boot, without suspend. */
	__u64 time DEBPF_FORMAT(time);
	/* Process ids (thread groups) as the first pid namespace sees them. */
	__u32 pid;
	__u32 ppid;
	/* Real user id as the first user namespace sees it. */
	__u32 uid;
	/* Name of the new program, at most 15 bytes. */
	char comm[16];
	/* What was given to exec(2): not made absolute; a script's own path, not its interpreter's. */
	char filename[PATH_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} events SEC(".maps");

DEBPF_EVENT(events, exec_event);

/* Only programs of this user; -1: everybody's. */
const volatile __u32 filter_uid = -1;

/* Events that found the ring full: `run` tells how many. */
DEBPF_LOST(events);

/* TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm), unchanged since Linux 3.4. */
SEC("raw_tp/sched_process_exec")
int handle_exec(__u64 *args)
{
	const struct task_struct *task = (const void *)args[0];
	const struct linux_binprm *binary = (const void *)args[2];
	const struct task_struct *parent;
	const char *filename;
	struct exec_event *event;
	__u32 uid = bpf_get_current_uid_gid();
	__u32 wanted = filter_uid;

	if (wanted != (__u32)-1 && wanted != uid)
		return 0;

	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		DEBPF_COUNT_LOST(events);
		return 0;
	}

	event->time = bpf_ktime_get_ns();
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->uid = uid;
	READ(&parent, task, real_parent);
	READ(&event->ppid, parent, tgid);
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	/* The record holds what was in the ring before: an unreadable path must end at once. */
	event->filename[0] = 0;
	READ(&filename, binary, filename);
	bpf_probe_read_kernel_str(event->filename, sizeof(event->filename), filename);

	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* bpf_probe_read_kernel and its kind are for GPL-compatible programs only. */
char LICENSE[] SEC("license") = "Dual MIT/GPL";

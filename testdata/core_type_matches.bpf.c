/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * CO-RE's type_matches (clang 15, so only built with clang 19): 1 where the kernel's type has everything that the local
 * one has, by name and type. Results in `results`; what is stable over 5.10 to 7.x is said at the line.
 */
#include "debpf_test.h"

u64 results[32];

struct task_struct;
struct linux_binprm;

struct list_head {
	struct list_head *next, *prev;
};

/* Fewer members: still a match. */
struct list_head___part {
	struct list_head___part *next;
};

/* A member of another type. */
struct list_head___wrong {
	struct list_head___wrong *next;
	int prev;
};

/* Behind a pointer only the name and kind count. */
struct list_head___other_pointee {
	struct task_struct *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct rlimit {
	unsigned long rlim_cur;
	unsigned long rlim_max;
};

struct rlimit___signed {
	long rlim_cur;
};

struct rlimit___short {
	unsigned int rlim_cur;
};

struct rlimit___more {
	unsigned long rlim_cur;
	unsigned long rlim_extra;
};

/* Arrays match with the same number of elements only. */
struct bpf_prog_aux___name {
	char ksym_name[16];
};

struct net_device___name {
	char name[16];
};

struct net_device___long_name {
	char name[32];
};

typedef int pid_t;
typedef long pid_t___long;
typedef struct list_head in_no_kernel_t;

enum pid_type {
	PIDTYPE_PID = 40,
	PIDTYPE_SID = 41,
};

enum pid_type___more {
	PIDTYPE_PID___more,
	PIDTYPE_IN_NO_KERNEL,
};

union sigval {
	int sival_int;
};

union sigval___struct {
	void *sival_ptr;
	int sival_int;
};

typedef void (*btf_trace_sched_process_exec)(void *, struct task_struct *, pid_t, struct linux_binprm *);
typedef void (*btf_trace_sched_process_exec___renamed)(void *, struct list_head *, pid_t, struct linux_binprm *);

#define KEEP(slot, value) (results[slot] = (value))

SEC("raw_tp")
int matches(void *ctx)
{
	KEEP(0, core_type_matches(struct list_head)); /* 1 */
	KEEP(1, core_type_matches(struct list_head___part)); /* 1 */
	KEEP(2, core_type_matches(struct list_head___wrong)); /* 0 */
	KEEP(3, core_type_matches(struct list_head___other_pointee)); /* 0 */
	KEEP(4, core_type_matches(struct hlist_head)); /* 1 */
	KEEP(5, core_type_matches(struct rlimit));
	KEEP(6, core_type_matches(struct rlimit___signed)); /* 0 */
	KEEP(7, core_type_matches(struct rlimit___short)); /* 0 */
	KEEP(8, core_type_matches(struct rlimit___more)); /* 0 */
	KEEP(9, core_type_matches(struct bpf_prog_aux___name)); /* 0 */
	KEEP(10, core_type_matches(struct net_device___name));
	KEEP(11, core_type_matches(struct net_device___long_name)); /* 0 */
	KEEP(12, core_type_matches(pid_t));
	KEEP(13, core_type_matches(pid_t___long)); /* 0 */
	KEEP(14, core_type_matches(in_no_kernel_t)); /* 0 */
	KEEP(15, core_type_matches(enum pid_type)); /* 1: values do not count */
	KEEP(16, core_type_matches(enum pid_type___more)); /* 0 */
	KEEP(17, core_type_matches(union sigval));
	KEEP(18, core_type_matches(union sigval___struct));
	KEEP(19, core_type_matches(btf_trace_sched_process_exec));
	KEEP(20, core_type_matches(btf_trace_sched_process_exec___renamed)); /* 0 */
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

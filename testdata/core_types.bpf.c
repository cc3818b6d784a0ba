/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * CO-RE relocations of types and of enum values against real kernels (5.10 to 7.x): ids, existence, sizes; of structs,
 * unions, enums, typedefs, pointers, arrays, function prototypes; flavours; kinds that differ. Results in `results`.
 */
#include "debpf_test.h"

u64 results[64];

struct task_struct {
	int any;
};

/* Compatibility of types looks at kinds and references, not at members. */
struct task_struct___empty {
};

/* A union in no kernel: a struct of that name does not match it. */
union task_struct___as_union {
	int a;
};

struct in_no_kernel {
	int a;
};

union bpf_attr {
	int any;
};

struct list_head {
	struct list_head *next, *prev;
};

typedef int pid_t;
typedef struct task_struct *pid_t___pointer;
typedef long long loff_t;
typedef struct list_head no_such_typedef;

/* `typedef void (*btf_trace_sched_process_exec)(void *, struct task_struct *, pid_t, struct linux_binprm *)` */
typedef void (*btf_trace_sched_process_exec)(void *, struct task_struct *, pid_t, struct list_head *);
typedef void (*btf_trace_sched_process_exec___short)(void *, struct task_struct *);
typedef u64 (*btf_trace_sched_process_exec___returns)(void *, struct task_struct *, pid_t, struct list_head *);

enum bpf_map_type___local {
	BPF_MAP_TYPE_HASH___local = 77,
	BPF_MAP_TYPE_RINGBUF___local = 78,
	BPF_MAP_TYPE_IN_NO_KERNEL = 79,
};

/* What later kernels brought: existence tells kernels apart. */
enum bpf_map_type___new {
	BPF_MAP_TYPE_USER_RINGBUF = 1, /* 6.1 */
	BPF_MAP_TYPE_CGRP_STORAGE = 2, /* 6.2 */
	BPF_MAP_TYPE_ARENA = 3, /* 6.9 */
};

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
	PIDTYPE_PGID,
	PIDTYPE_SID,
	PIDTYPE_MAX,
};

/* Negative, and with a value that needs 64 bits. */
enum node_states {
	N_POSSIBLE = -5,
	N_ONLINE,
};

enum enum_in_no_kernel {
	VALUE_IN_NO_KERNEL = 5,
};

struct holder {
	enum pid_type type;
};

#define KEEP(slot, value) (results[slot] = (value))

SEC("raw_tp")
int type_existence(void *ctx)
{
	KEEP(0, core_type_exists(struct task_struct));
	KEEP(1, core_type_exists(struct task_struct___empty));
	KEEP(2, core_type_exists(union task_struct___as_union));
	KEEP(3, core_type_exists(struct in_no_kernel));
	KEEP(4, core_type_exists(union bpf_attr));
	KEEP(5, core_type_exists(pid_t));
	KEEP(6, core_type_exists(pid_t___pointer));
	KEEP(7, core_type_exists(no_such_typedef));
	KEEP(8, core_type_exists(btf_trace_sched_process_exec));
	KEEP(9, core_type_exists(btf_trace_sched_process_exec___short));
	KEEP(10, core_type_exists(btf_trace_sched_process_exec___returns));
	KEEP(11, core_type_exists(enum bpf_map_type___local));
	KEEP(12, core_type_exists(enum enum_in_no_kernel));
	return 0;
}

SEC("raw_tp")
int type_sizes(void *ctx)
{
	KEEP(13, core_type_size(struct task_struct));
	KEEP(14, core_type_size(struct task_struct___empty));
	KEEP(15, core_type_size(union bpf_attr));
	KEEP(16, core_type_size(struct in_no_kernel));
	KEEP(17, core_type_size(pid_t));
	KEEP(18, core_type_size(loff_t));
	KEEP(19, core_type_size(struct list_head));
	KEEP(20, core_type_size(enum pid_type));
	return 0;
}

SEC("raw_tp")
int type_ids(void *ctx)
{
	KEEP(21, core_type_id_kernel(struct task_struct));
	KEEP(22, core_type_id_kernel(struct task_struct___empty));
	KEEP(23, core_type_id_kernel(struct in_no_kernel));
	KEEP(24, core_type_id_kernel(pid_t));
	KEEP(25, core_type_id_kernel(enum pid_type));
	KEEP(26, core_type_id_local(struct task_struct));
	KEEP(27, core_type_id_local(struct task_struct___empty));
	KEEP(28, core_type_id_local(struct in_no_kernel));
	KEEP(29, core_type_id_local(pid_t));
	KEEP(30, core_type_id_local(enum pid_type));
	KEEP(31, core_type_id_local(union bpf_attr));
	return 0;
}

SEC("raw_tp")
int enum_existence(void *ctx)
{
	KEEP(32, core_enum_exists(enum bpf_map_type___local, BPF_MAP_TYPE_HASH___local));
	KEEP(33, core_enum_exists(enum bpf_map_type___local, BPF_MAP_TYPE_RINGBUF___local));
	KEEP(34, core_enum_exists(enum bpf_map_type___local, BPF_MAP_TYPE_IN_NO_KERNEL));
	KEEP(35, core_enum_exists(enum bpf_map_type___new, BPF_MAP_TYPE_USER_RINGBUF));
	KEEP(36, core_enum_exists(enum bpf_map_type___new, BPF_MAP_TYPE_CGRP_STORAGE));
	KEEP(37, core_enum_exists(enum bpf_map_type___new, BPF_MAP_TYPE_ARENA));
	KEEP(38, core_enum_exists(enum enum_in_no_kernel, VALUE_IN_NO_KERNEL));
	return 0;
}

SEC("raw_tp")
int enum_values(void *ctx)
{
	KEEP(39, core_enum_value(enum bpf_map_type___local, BPF_MAP_TYPE_HASH___local));
	KEEP(40, core_enum_value(enum bpf_map_type___local, BPF_MAP_TYPE_RINGBUF___local));
	KEEP(41, core_enum_value(enum pid_type, PIDTYPE_SID));
	KEEP(42, core_enum_value(enum pid_type, PIDTYPE_MAX));
	KEEP(43, core_enum_value(enum node_states, N_ONLINE));
	/* Guarded: poisoned where the kernel has no such value, and dead there. */
	if (core_enum_exists(enum bpf_map_type___new, BPF_MAP_TYPE_ARENA))
		KEEP(44, core_enum_value(enum bpf_map_type___new, BPF_MAP_TYPE_ARENA));
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Relocations that no kernel can satisfy, all guarded by FIELD_EXISTS and its kind: the loader poisons the instruction,
 * the verifier never gets there. Every instruction form that carries a relocation is poisoned once: load, store, ALU
 * immediate, ldimm64. Loads on Linux 5.10 and newer; each program returns 3 (BPF_PROG_TEST_RUN, raw_tp).
 */
#include "debpf_test.h"

u64 results[16];
u64 memory[8];

struct in_no_kernel {
	u64 pad;
	u64 a;
} KERNEL;

struct task_struct {
	u64 pad;
	u64 not_a_member;
	u32 bits : 5;
	struct in_no_kernel *pointer;
} KERNEL;

/* The kernel's `comm` is an array: a struct is not compatible with it. */
struct task_struct___incompatible {
	struct in_no_kernel comm;
} KERNEL;

enum pid_type {
	PIDTYPE_IN_NO_KERNEL = 9,
};

SEC("raw_tp")
int missing_member(void *ctx)
{
	struct task_struct *task = (void *)memory;
	int result = 3;

	if (core_field(task->not_a_member, FIELD_EXISTS)) {
		results[0] = task->not_a_member; /* load */
		task->not_a_member = results[1]; /* store */
		results[2] = core_field(task->not_a_member, FIELD_BYTE_OFFSET); /* ALU */
		results[3] = core_field(task->not_a_member, FIELD_BYTE_SIZE);
		results[4] = core_field(task->not_a_member, FIELD_SIGNED);
		results[5] = core_field(task->bits, FIELD_LSHIFT_U64);
		results[6] = core_field(task->bits, FIELD_RSHIFT_U64);
		result = 4;
	}
	return result;
}

SEC("raw_tp")
int missing_type(void *ctx)
{
	struct in_no_kernel *none = (void *)memory;
	int result = 3;

	if (core_type_exists(struct in_no_kernel)) {
		results[0] = none->a;
		results[1] = core_type_size(struct in_no_kernel);
		results[2] = core_type_id_kernel(struct in_no_kernel);
		result = 4;
	}
	return result;
}

SEC("raw_tp")
int missing_value(void *ctx)
{
	int result = 3;

	if (core_enum_exists(enum pid_type, PIDTYPE_IN_NO_KERNEL)) {
		results[0] = core_enum_value(enum pid_type, PIDTYPE_IN_NO_KERNEL); /* ldimm64 */
		result = 4;
	}
	return result;
}

SEC("raw_tp")
int incompatible_member(void *ctx)
{
	struct task_struct___incompatible *task = (void *)memory;
	int result = 3;

	if (core_field(task->comm, FIELD_EXISTS)) {
		results[0] = task->comm.a;
		result = 4;
	}
	return result;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

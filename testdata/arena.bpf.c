/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Variables in an arena (address space 1; clang 19). Linux 6.9. `sum` runs with BPF_PROG_TEST_RUN (syscall): it counts `calls`,
 * puts the sum of `table` and `offset` into `result`, and returns it; `offset` is there to be set from outside. `calls` is
 * static, so it is reached by the section and an addend.
 */
#include "debpf_test.h"

#define ARENA __attribute__((address_space(1)))
#define BPF_MAP_TYPE_ARENA 33

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16);
	__ulong(map_extra, 1ULL << 44);
} arena SEC(".maps");

u32 ARENA result = 5;
u64 ARENA table[4] = { 1, 20, 300, 4000 };
static u32 ARENA calls;
s32 ARENA offset;

/* Beside the arena there is global data as everywhere. */
u32 plain = 7;

SEC("syscall")
s32 sum(void *ctx)
{
	u64 total = offset;

	/* The verifier has to know which arena the program uses. */
	asm volatile("" : : "r"(&arena));
	calls++;
	for (u32 i = 0; i < 4; i++)
		total += table[i];
	result = total;
	plain += calls;
	return total;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Jump tables (gotox; clang 22, -mcpu=v4). Linux 6.19. `pick` runs with BPF_PROG_TEST_RUN (raw_tp) and ctx_in `u64 args[2]` =
 * {case, value}, and returns `chosen(case) + scaled(value)`, both of which have a table; `twice` has the table of `pick`'s
 * switch once more, behind other instructions, and one of its own.
 */
#include "debpf_test.h"

u32 hits;

/* In .text: its table counts from the section's start, not the program's. */
static NOINLINE u32 scaled(u64 value)
{
	switch (value) {
	case 0: return 1000;
	case 1: hits++; return 3000;
	case 2: return 2000;
	case 3: return 9000 + hits;
	case 4: return 4000;
	case 5: hits += 2; return 5000;
	}
	return 0;
}

NOINLINE u32 chosen(u64 which)
{
	switch (which) {
	case 0: return 17;
	case 1: return 3;
	case 2: hits += 10; return 999;
	case 3: return 12;
	case 4: return 77;
	case 5: return 100;
	case 6: hits += 100; return 33;
	}
	return 1;
}

SEC("raw_tp")
u32 pick(u64 *ctx)
{
	return chosen(ctx[0]) + scaled(ctx[1]);
}

SEC("raw_tp")
u32 twice(u64 *ctx)
{
	u32 first = scaled(ctx[1]);

	switch (ctx[0]) {
	case 10: first += 5; break;
	case 11: first *= 3; break;
	case 12: first ^= hits; break;
	case 13: first -= 9; break;
	case 14: first = ~first; break;
	}
	return first + chosen(ctx[0]);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

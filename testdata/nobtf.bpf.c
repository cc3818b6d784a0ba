/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Built without -g, so without BTF: global data and subprograms still work (all functions then count as static); maps
 * and CO-RE would not. Linux 5.10. `sum` (BPF_PROG_TEST_RUN, raw_tp; ctx_in `u64 args[2]` = {a, b}) returns a * scale + b + 1,
 * 25 for {7, 3} with scale = 3, and counts its runs in .bss.
 */
#include "debpf_test.h"

const volatile u32 scale = 3;
u64 runs;

static NOINLINE u32 scaled(u32 a)
{
	return a * scale;
}

NOINLINE ALIGNED(64) u32 plus_one(u32 a)
{
	return a + 1;
}

SEC("raw_tp")
int sum(u64 *args)
{
	runs++;
	return plus_one(scaled(args[0]) + args[1]);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

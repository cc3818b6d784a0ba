/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Global data wherever clang puts it: sections of one's own, string literals, statics in functions, hidden and weak variables,
 * pointers in data (which stay 0: nothing relocates data), addends that are computed. Linux 5.10. With BPF_PROG_TEST_RUN
 * (raw_tp) and ctx_in `u64 args[2]` = {n, -}:
 *	`walk` adds up what it reads, see the test; `own` counts up by 17 + 9, `own_zero` by 1, `weak_data` by 1
 *	`between` returns 7 (the distance of `numbers[7]` and `numbers[0]` in words)
 *	`strings` returns 'l' * 256 + the letter n of "words"
 */
#include "debpf_test.h"

const char greeting[] = "hello";
const char *pointer = greeting;
u32 own SEC(".data.own") = 7;
u32 beside SEC(".data.own") = 17;
const volatile u32 own_const SEC(".rodata.own") = 9;
u32 own_zero SEC(".bss.own");
WEAK u32 weak_data = 10;
HIDDEN u32 hidden_data = 11;
u32 *pointer_to_own = &own;
static volatile u32 numbers[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static volatile const u32 constants[] = { 10, 20, 30, 40, 50 };
struct packed {
	u8 a;
	u64 b;
} __attribute__((packed));
struct packed packed = { 3, 4 };
u32 aligned __attribute__((aligned(64))) = 5;

/* Two statics of one name. */
static NOINLINE u32 first(void)
{
	static u32 count;

	return ++count;
}

static NOINLINE u32 second(void)
{
	static u32 count = 100;

	return ++count;
}

SEC("raw_tp")
s32 walk(u64 *ctx)
{
	u32 i = ctx[0] & 3;

	own += beside + own_const;
	own_zero++;
	weak_data++;
	packed.b += packed.a;
	return first() + second() + numbers[i + 3] + constants[i] + constants[4] + hidden_data + aligned + greeting[i];
}

SEC("raw_tp")
s32 between(u64 *ctx)
{
	u64 end = (u64)(numbers + 7), start = (u64)numbers;

	return (end - start) / sizeof(numbers[0]);
}

SEC("raw_tp")
s32 strings(u64 *ctx)
{
	char own_copy[8] = {};

	bpf_probe_read_kernel(own_copy, 4, &"a literal"[2]);
	return own_copy[0] * 256 + "words"[ctx[0] & 3];
}

SEC("raw_tp")
s32 pointers(u64 *ctx)
{
	return (*(u64 *volatile *)&pointer != NULL) + (*(u32 *volatile *)&pointer_to_own != NULL);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Programs on USDT probes of testdata/programs/user_target.c; Linux 5.10. Each counts hits, and keeps what it saw last in
 * the element of seen[] with its number: number of arguments, their values, cookie, process.
 *
 *  0 usdt    first    1 usdt    second    2 usdt.s  sleepable
 *
 * `probe` sections name neither file nor probe: tests set attachTo or call attachUsdt().
 */
#include "debpf_usdt.h"

const volatile u32 ip_offset = 128; /* in struct pt_regs of x86_64; 256 on arm64 */

struct seen {
	u64 hits;
	u64 cookie;
	s64 count;
	s64 args[12];
	s64 sum; /* of all hits' first arguments */
	u32 tgid;
};

struct seen seen[3];

static NOINLINE int see(void *ctx, u32 slot)
{
	struct __bpf_usdt_spec *spec = usdt_spec(ctx, ip_offset);
	struct seen *to = &seen[slot];

	if (slot > 2)
		return 0;
	__sync_fetch_and_add(&to->hits, 1);
	to->tgid = bpf_get_current_pid_tgid() >> 32;
	if (!spec) {
		to->count = -1;
		return 0;
	}
	to->cookie = spec->usdt_cookie;
	to->count = spec->arg_cnt;
#pragma unroll
	for (int i = 0; i < 12; i++)
		to->args[i] = i < spec->arg_cnt ? usdt_value(ctx, &spec->args[i]) : 0;
	__sync_fetch_and_add(&to->sum, to->args[0]);
	return 0;
}

SEC("usdt")
int first(void *ctx)
{
	return see(ctx, 0);
}

SEC("usdt")
int second(void *ctx)
{
	return see(ctx, 1);
}

SEC("usdt.s")
int sleepable(void *ctx)
{
	return see(ctx, 2);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

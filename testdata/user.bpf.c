/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Programs on functions of user programs; Linux 5.10 unless said otherwise. Each counts hits, and keeps what it saw last in the
 * element of seen[] with its number; the hash by_cookie counts hits by cookie.
 *
 *  0 uprobe          enter      first two arguments
 *  1 uretprobe       leave      the result
 *  2 uprobe.s        sleepable  as 0; reads the string that the first argument points to (5.18)
 *  3 uprobe.multi    multi      as 0 (6.6)
 *  4 uretprobe.multi multi_ret  the result (6.6)
 *  5 uprobe.session  session    two hits a call (6.13)
 *
 * Offsets in struct pt_regs are of x86_64; tests set others on other machines.
 */
#include "debpf_test.h"

static u64 (*bpf_get_attach_cookie)(void *ctx) = (void *)174;
static long (*bpf_copy_from_user)(void *dst, u32 size, const void *user) = (void *)148;

const volatile u32 argument0_offset = 112;
const volatile u32 argument1_offset = 104;
const volatile u32 result_offset = 80;
const volatile u32 with_cookie = 1; /* 5.15 */

struct seen {
	u64 hits;
	u64 cookie;
	s64 arguments[2];
	s64 result;
	u32 tgid;
	char text[16];
};

struct seen seen[6];

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u64);
	__type(value, u64);
} by_cookie SEC(".maps");

static INLINE s64 reg(void *ctx, u32 offset)
{
	s64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), ctx + offset);
	return value;
}

static INLINE void see(void *ctx, struct seen *to)
{
	u64 cookie = with_cookie ? bpf_get_attach_cookie(ctx) : 0;
	u64 *hits = bpf_map_lookup_elem(&by_cookie, &cookie);
	u64 one = 1;

	__sync_fetch_and_add(&to->hits, 1);
	to->cookie = cookie;
	to->tgid = bpf_get_current_pid_tgid() >> 32;
	if (hits)
		__sync_fetch_and_add(hits, 1);
	else
		bpf_map_update_elem(&by_cookie, &cookie, &one, BPF_ANY);
}

static INLINE void see_call(void *ctx, struct seen *to)
{
	to->arguments[0] = reg(ctx, argument0_offset);
	to->arguments[1] = reg(ctx, argument1_offset);
	see(ctx, to);
}

static INLINE void see_result(void *ctx, struct seen *to)
{
	to->result = reg(ctx, result_offset);
	see(ctx, to);
}

SEC("uprobe")
int enter(void *ctx)
{
	see_call(ctx, &seen[0]);
	return 0;
}

SEC("uretprobe")
int leave(void *ctx)
{
	see_result(ctx, &seen[1]);
	return 0;
}

SEC("?uprobe.s")
int sleepable(void *ctx)
{
	see_call(ctx, &seen[2]);
	bpf_copy_from_user(seen[2].text, sizeof(seen[2].text), (void *)seen[2].arguments[0]);
	return 0;
}

SEC("?uprobe.multi")
int multi(void *ctx)
{
	see_call(ctx, &seen[3]);
	return 0;
}

SEC("?uretprobe.multi")
int multi_ret(void *ctx)
{
	see_result(ctx, &seen[4]);
	return 0;
}

SEC("?uprobe.session")
int session(void *ctx)
{
	see(ctx, &seen[5]);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

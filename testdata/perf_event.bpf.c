/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A program on samples of perf events; Linux 5.10. It counts samples, those of the process `watched_tgid`, and those on each
 * CPU, and keeps the last cookie (5.15).
 */
#include "debpf_test.h"

static u64 (*bpf_get_attach_cookie)(void *ctx) = (void *)174;

const volatile u32 watched_tgid = 0;
const volatile u32 with_cookie = 1;

u64 samples;
u64 watched;
u64 cookie;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, u64);
} by_cpu SEC(".maps");

SEC("perf_event")
int sample(void *ctx)
{
	u32 cpu = bpf_get_smp_processor_id();
	u64 *count = bpf_map_lookup_elem(&by_cpu, &cpu);
	u64 one = 1;

	__sync_fetch_and_add(&samples, 1);
	if (bpf_get_current_pid_tgid() >> 32 == watched_tgid)
		__sync_fetch_and_add(&watched, 1);
	if (with_cookie)
		cookie = bpf_get_attach_cookie(ctx);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&by_cpu, &cpu, &one, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * externs_a.bpf.c says what this is for: weak there is strong here, and the map is defined.
 */
#include "debpf_test.h"

extern int CONFIG_HZ __kconfig;
extern int CONFIG_NR_CPUS __kconfig;
extern const void jiffies __ksym;
extern int runqueues_of_nobody __ksym WEAK;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern int from_elsewhere;
extern int also_from_elsewhere;
extern int call_elsewhere(int value);

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 64);
	__type(value, u64);
	__uint(map_extra, 3);
} bloom SEC(".maps");

SEC("raw_tp/sys_exit") int externs_b(void *ctx)
{
	u64 value = 0;

	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_map_lookup_elem(&bloom, &value);
	return CONFIG_HZ + CONFIG_NR_CPUS + (u64)&jiffies + (&runqueues_of_nobody != NULL) + from_elsewhere +
	       also_from_elsewhere + call_elsewhere(1);
}

char LICENSE[] SEC("license") = "GPL";

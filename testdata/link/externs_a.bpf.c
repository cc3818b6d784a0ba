/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * With externs_b.bpf.c: what several objects expect of the kernel, of its configuration, and of an object that is not
 * there. Linked, all of it is declared once; not loaded.
 */
#include "debpf_test.h"

extern int CONFIG_HZ __kconfig;
extern int CONFIG_NR_CPUS __kconfig WEAK;
extern const void jiffies __ksym;
extern int runqueues_of_nobody __ksym WEAK;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym WEAK;
extern int from_elsewhere;
extern int also_from_elsewhere WEAK;
extern int call_elsewhere(int value);

extern struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 64);
	__type(value, u64);
	__uint(map_extra, 3);
} bloom __attribute__((section(".maps")));

SEC("raw_tp/sys_enter") int externs_a(void *ctx)
{
	u64 value = 0;

	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_map_lookup_elem(&bloom, &value);
	return CONFIG_HZ + CONFIG_NR_CPUS + (u64)&jiffies + (&runqueues_of_nobody != NULL) + from_elsewhere +
	       also_from_elsewhere + call_elsewhere(1);
}

char LICENSE[] SEC("license") = "GPL";

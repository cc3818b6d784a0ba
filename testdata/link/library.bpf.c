/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * What main.bpf.c expects of others; it says what comes out. link_library(args = {a, -}) -> step(a): 1000 + a.
 */
#include "debpf_test.h"

struct task_struct {
	int tgid;
} KERNEL;

int counter = 100;
const volatile int limit = 7;
int tuned = 4;
char library_text[8];

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u64);
} shared SEC(".maps");

static volatile int state = 1000;

static NOINLINE int step(int by)
{
	state += by;
	return state;
}

NOINLINE int add(int a, int b)
{
	return a + b;
}

WEAK NOINLINE int scale(int value)
{
	return value * 2;
}

HIDDEN NOINLINE int secret(int value)
{
	return value + 1000;
}

NOINLINE int reset(int value)
{
	tuned = value;
	return 0;
}

NOINLINE int read_tgid(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return core_read(task, tgid);
}

NOINLINE int put(u32 key, u64 value)
{
	return bpf_map_update_elem(&shared, &key, &value, BPF_ANY);
}

NOINLINE int copy_text(void)
{
	return bpf_probe_read_kernel_str(library_text, sizeof(library_text), "library");
}

SEC("raw_tp/sys_exit") int link_library(u64 *args)
{
	return step(args[0]);
}

char LICENSE[] SEC("license") = "GPL";

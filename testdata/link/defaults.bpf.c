/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Weak definitions of what library.bpf.c defines; main.bpf.c says which win.
 */
#include "debpf_test.h"

WEAK int counter = 55;
WEAK int tuned;

WEAK NOINLINE int add(int a, int b)
{
	return a * b;
}

WEAK NOINLINE int scale(int value)
{
	return value * 100;
}

/* A weak map that is another's twin. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u64);
} shared WEAK SEC(".maps");

char _license[] SEC("license") = "GPL";

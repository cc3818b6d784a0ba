/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A kernel function that no kernel has, and that is not weak: no program of the object can be loaded, also not `innocent`,
 * which does not call it.
 */
#include "debpf_test.h"

extern int bpf_in_no_kernel(int a) __ksym;

SEC("raw_tp")
int calls(void *ctx)
{
	return bpf_in_no_kernel(1);
}

SEC("raw_tp")
int innocent(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

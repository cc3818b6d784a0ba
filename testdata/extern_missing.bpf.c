/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Kernel functions that no kernel has, and that nobody asks for before the call: `reached` is refused by the verifier,
 * `guarded` (BPF_PROG_TEST_RUN, raw_tp) returns 7.
 */
#include "debpf_test.h"

extern int bpf_in_no_kernel(int a) __ksym WEAK;
extern int bpf_in_none_either(void) __ksym WEAK;

SEC("raw_tp")
int guarded(void *ctx)
{
	return bpf_in_no_kernel ? bpf_in_no_kernel(1) : 7;
}

SEC("?raw_tp")
int reached(void *ctx)
{
	return bpf_in_none_either();
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

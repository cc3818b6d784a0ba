/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * An option that no kernel's configuration has, and that is not weak: `read` (BPF_PROG_TEST_RUN, raw_tp) returns it if
 * the user gives it.
 */
#include "debpf_test.h"

extern int CONFIG_IN_NO_KERNEL __kconfig;

SEC("raw_tp")
int read(void *ctx)
{
	return CONFIG_IN_NO_KERNEL;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

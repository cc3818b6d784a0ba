/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Functions that another object has to define: alone it cannot be loaded, also not `innocent`, which calls neither.
 */
#include "debpf_test.h"

extern int defined_elsewhere(int a);
extern int perhaps_defined_elsewhere(int a) WEAK;

SEC("raw_tp")
int strong(void *ctx)
{
	return defined_elsewhere(1);
}

SEC("raw_tp")
int weak(void *ctx)
{
	return perhaps_defined_elsewhere(1);
}

SEC("raw_tp")
int innocent(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

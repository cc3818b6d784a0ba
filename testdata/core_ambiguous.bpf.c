/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Against targets/known_ambiguous.c (two structs of one essential name): `same` relocates (offset 0 and 0), `different`
 * and `present` must fail with an error that says so (the offsets are 4 and 8, though only `different` wants them).
 * Relocated only, never loaded.
 */
#include "debpf_test.h"

u64 results[4];

struct widget {
	int id;
	char name[8];
} KERNEL;

SEC("raw_tp")
int same(void *ctx)
{
	results[0] = core_field(((struct widget *)0)->id, FIELD_BYTE_OFFSET);
	return 0;
}

SEC("raw_tp")
int present(void *ctx)
{
	results[1] = core_field(((struct widget *)0)->name, FIELD_EXISTS);
	return 0;
}

SEC("raw_tp")
int different(void *ctx)
{
	results[2] = core_field(((struct widget *)0)->name, FIELD_BYTE_OFFSET);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

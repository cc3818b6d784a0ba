/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A program in a section whose name means nothing, beside one whose does. libbpf opens the object and refuses `lost` when
 * it is to be loaded: "missing BPF prog type, check ELF section name 'nowhere/at/all'".
 */
#include "debpf_test.h"

SEC("nowhere/at/all")
int lost(void *ctx)
{
	return 1;
}

SEC("raw_tp")
int known(void *ctx)
{
	return 2;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

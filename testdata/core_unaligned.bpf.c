/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A relocation that cannot be applied: `bytes` has no alignment, so clang reads a u64 of it byte by byte, and the first
 * load is one byte wide where the relocation says that the local field has 8. Whoever relocates has to refuse `wide`
 * (libbpf: "unexpected mem size: got 1, exp 8"). `fine` is good, but libbpf loads an object as a whole or not at all.
 */
#include "debpf_test.h"

u8 bytes[8] = { 1 };
u64 result;

struct bpf_insn___wide {
	u64 code;
} KERNEL;

SEC("raw_tp")
int fine(void *ctx)
{
	return 0;
}

SEC("raw_tp")
int wide(void *ctx)
{
	result = ((struct bpf_insn___wide *)bytes)->code;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

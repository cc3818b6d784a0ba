/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A program whose functions other programs are attached to: attach_kernel.bpf.c. Linux 5.10. A test run with a packet gives
 * victim_sum(first byte, second byte) + victim_product(first byte, second byte).
 */
#include "debpf_test.h"

struct __sk_buff;

static long (*bpf_skb_load_bytes)(const void *skb, u32 offset, void *to, u32 len) = (void *)26;

NOINLINE int victim_sum(int a, int b)
{
	asm volatile("");
	return a + b;
}

NOINLINE int victim_product(int a, int b)
{
	asm volatile("");
	return a * b;
}

SEC("tc")
int victim(struct __sk_buff *skb)
{
	u8 bytes[2] = {};

	bpf_skb_load_bytes(skb, 0, bytes, sizeof(bytes));
	return victim_sum(bytes[0], bytes[1]) + victim_product(bytes[0], bytes[1]);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

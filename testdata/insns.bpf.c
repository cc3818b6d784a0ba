/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Every instruction form that clang 14 to 19 emits, for -mcpu=v1 to v4 (the script defines CPU): written in assembly
 * where C cannot be relied on to give it. The instruction sets: v1; v2 adds jlt, jle, jslt, jsle; v3 adds jmp32, alu32
 * and the atomics that fetch; v4 adds bswap, sdiv, smod, movsx, ldsx, gotol and `st` from C. All programs load: v1 and
 * v2 on Linux 5.10, v3 on 5.12, v4 on 6.6 (may_goto: 6.9).
 */
#include "debpf_test.h"

#ifndef CPU
#error "say -DCPU=1 to 4, as in -mcpu"
#endif

#define CLOBBERS "r0", "r1", "r2", "r3", "r4", "r5", "memory"

/* An instruction by its fields, for what the assembler of clang 14 does not know. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define RAW(code, dst, src, off, imm) \
	".byte " code "\n .byte " src " * 16 + " dst "\n .2byte " off "\n .4byte " imm "\n"
#else
#define RAW(code, dst, src, off, imm) \
	".byte " code "\n .byte " dst " * 16 + " src "\n .2byte " off "\n .4byte " imm "\n"
#endif

u64 words[16];
u32 halves[4];

/* ld_abs and ld_ind: the packet is implicitly r6. */
u64 load_byte(void *skb, u64 offset) asm("llvm.bpf.load.byte");
u64 load_half(void *skb, u64 offset) asm("llvm.bpf.load.half");
u64 load_word(void *skb, u64 offset) asm("llvm.bpf.load.word");

struct skb {
	u32 len;
};

SEC("socket")
int load_packet(struct skb *skb)
{
	u64 sum = load_byte(skb, 0) + load_half(skb, 2) + load_word(skb, 4);
	u32 at = skb->len & 7;

	return sum + load_byte(skb, at) + load_half(skb, at + 1) + load_word(skb, at + 2);
}

SEC("socket")
int alu64(struct skb *skb)
{
	asm volatile("r1 = 12345\n"
		     "r2 = 7\n"
		     "r1 += 1\n r1 += -1\n r1 += r2\n"
		     "r1 -= 1\n r1 -= r2\n"
		     "r1 *= 3\n r1 *= r2\n"
		     "r1 /= 3\n r1 /= r2\n"
		     "r1 |= 0x100\n r1 |= r2\n"
		     "r1 &= 0x7fffffff\n r1 &= r2\n"
		     "r1 <<= 3\n r1 <<= r2\n"
		     "r1 >>= 3\n r1 >>= r2\n"
		     "r1 = -r1\n"
		     "r1 ^= -2147483648\n r1 ^= r2\n"
		     "r1 = 2147483647\n r1 = r2\n"
		     "r1 s>>= 3\n r1 s>>= r2\n"
		     "r1 = be16 r1\n r1 = be32 r1\n r1 = be64 r1\n"
		     "r1 = le16 r1\n r1 = le32 r1\n r1 = le64 r1\n" ::
			     : CLOBBERS);
	return 0;
}

SEC("socket")
int loads_and_stores(struct skb *skb)
{
	u64 *at = words;

	asm volatile("r1 = %[at]\n"
		     "r2 = *(u8 *)(r1 + 1)\n"
		     "r2 = *(u16 *)(r1 + 2)\n"
		     "r2 = *(u32 *)(r1 + 4)\n"
		     "r2 = *(u64 *)(r1 + 8)\n"
		     "*(u8 *)(r1 + 1) = r2\n"
		     "*(u16 *)(r1 + 2) = r2\n"
		     "*(u32 *)(r1 + 4) = r2\n"
		     "*(u64 *)(r1 + 8) = r2\n"
		     "*(u64 *)(r10 - 8) = r2\n"
		     "r2 = 0x1122334455667788 ll\n"
		     "r2 = -1 ll\n"
		     "lock *(u64 *)(r1 + 16) += r2\n"
		     "lock *(u32 *)(r1 + 24) += r2\n" ::[at] "r"(at)
		     : CLOBBERS);
	return words[1];
}

/* Jumps over one instruction, forwards; a loop jumps backwards. */
SEC("socket")
int jumps64(struct skb *skb)
{
	asm volatile("r1 = 5\n r2 = 6\n r3 = 0\n"
		     "goto +0\n"
		     "if r1 == 5 goto +0\n if r1 == r2 goto +1\n r3 += 1\n"
		     "if r1 != 5 goto +1\n r3 += 1\n if r1 != r2 goto +0\n"
		     "if r1 > 5 goto +1\n r3 += 1\n if r1 > r2 goto +0\n"
		     "if r1 >= 5 goto +1\n r3 += 1\n if r1 >= r2 goto +0\n"
		     "if r1 s> -5 goto +1\n r3 += 1\n if r1 s> r2 goto +0\n"
		     "if r1 s>= -5 goto +1\n r3 += 1\n if r1 s>= r2 goto +0\n"
#if CPU >= 2
		     "if r1 < 5 goto +1\n r3 += 1\n if r1 < r2 goto +0\n"
		     "if r1 <= 5 goto +1\n r3 += 1\n if r1 <= r2 goto +0\n"
		     "if r1 s< -5 goto +1\n r3 += 1\n if r1 s< r2 goto +0\n"
		     "if r1 s<= -5 goto +1\n r3 += 1\n if r1 s<= r2 goto +0\n"
#endif
		     "r4 = 3\n"
		     "r3 += r4\n"
		     "r4 += -1\n"
		     "if r4 != 0 goto -3\n" ::
			     : CLOBBERS);
	return 0;
}

/* jset has no assembly before clang 19. */
SEC("socket")
int jumps_if_set(struct skb *skb)
{
	asm volatile("r1 = 5\n r2 = 6\n" RAW("0x45", "1", "0", "0", "5") RAW("0x4d", "1", "2", "0", "0")::: CLOBBERS);
	return 0;
}

static NOINLINE u32 static_callee(u32 a)
{
	return a / 3 + words[0];
}

NOINLINE int global_callee(u32 a, int b)
{
	return a % 7 - b;
}

/* Calls of a helper, of subprograms; addresses of a map's value. */
SEC("socket")
int calls(struct skb *skb)
{
	int sum = static_callee(skb->len) + global_callee(skb->len, 2);

	words[1] = bpf_ktime_get_ns();
	words[2] += sum;
	return sum + halves[1];
}

/* Byte orders, remainders (no assembly before clang 19) and shifts from C: each clang and CPU has forms of its own. */
SEC("socket")
int from_c(struct skb *skb)
{
	u64 a = words[0];
	u32 d32 = words[1];
	s32 b = halves[0];
	s16 c = words[3];
	s8 d = words[4];

	words[5] = __builtin_bswap64(a);
	halves[1] = __builtin_bswap32(b);
	words[6] = __builtin_bswap16(c);
	words[7] = b;
	words[8] = c;
	words[9] = d;
	words[10] = 5;
	halves[2] = 6;
	*(volatile u8 *)&words[11] = 7;
	*(volatile u16 *)&words[12] = 8;
	words[13] = (s64)(s32)a >> 3;
	words[14] = (u32)b >> 3;
	words[0] = a % 5 + a % words[1];
	words[2] = d32 % 5 + d32 % (u32)words[2];
	if ((s32)a < b)
		words[15] = (u32)a * 3;
	return (u32)a + b;
}

#if CPU >= 3
SEC("socket")
int alu32(struct skb *skb)
{
	asm volatile("w1 = 12345\n"
		     "w2 = 7\n"
		     "w1 += 1\n w1 += w2\n"
		     "w1 -= 1\n w1 -= w2\n"
		     "w1 *= 3\n w1 *= w2\n"
		     "w1 /= 3\n w1 /= w2\n"
		     "w1 |= 0x100\n w1 |= w2\n"
		     "w1 &= 0x7fffffff\n w1 &= w2\n"
		     "w1 <<= 3\n w1 <<= w2\n"
		     "w1 >>= 3\n w1 >>= w2\n"
		     "w1 = -w1\n"
		     "w1 ^= -2147483648\n w1 ^= w2\n"
		     "w1 = 2147483647\n w1 = w2\n"
		     "w1 s>>= 3\n w1 s>>= w2\n" ::
			     : CLOBBERS);
	return 0;
}

SEC("socket")
int jumps32(struct skb *skb)
{
	asm volatile("w1 = 5\n w2 = 6\n w3 = 0\n"
		     "if w1 == 5 goto +0\n if w1 == w2 goto +1\n w3 += 1\n"
		     "if w1 != 5 goto +1\n w3 += 1\n if w1 != w2 goto +0\n"
		     "if w1 > 5 goto +1\n w3 += 1\n if w1 > w2 goto +0\n"
		     "if w1 >= 5 goto +1\n w3 += 1\n if w1 >= w2 goto +0\n"
		     "if w1 s> -5 goto +1\n w3 += 1\n if w1 s> w2 goto +0\n"
		     "if w1 s>= -5 goto +1\n w3 += 1\n if w1 s>= w2 goto +0\n"
		     "if w1 < 5 goto +1\n w3 += 1\n if w1 < w2 goto +0\n"
		     "if w1 <= 5 goto +1\n w3 += 1\n if w1 <= w2 goto +0\n"
		     "if w1 s< -5 goto +1\n w3 += 1\n if w1 s< w2 goto +0\n"
		     "if w1 s<= -5 goto +1\n w3 += 1\n if w1 s<= w2 goto +0\n"
		     RAW("0x46", "1", "0", "0", "5") RAW("0x4e", "1", "2", "0", "0") :::CLOBBERS);
	return 0;
}

SEC("socket")
int atomics(struct skb *skb)
{
	u64 *at = words;

	asm volatile("r1 = %[at]\n"
		     "r2 = 5\n"
		     "lock *(u64 *)(r1 + 0) &= r2\n lock *(u64 *)(r1 + 0) |= r2\n lock *(u64 *)(r1 + 0) ^= r2\n"
		     "lock *(u32 *)(r1 + 8) &= w2\n lock *(u32 *)(r1 + 8) |= w2\n lock *(u32 *)(r1 + 8) ^= w2\n" ::[at] "r"(at)
		     : CLOBBERS);
	/* Those that fetch have no assembly before clang 19. */
	words[6] = __sync_fetch_and_add(&words[5], 3);
	words[6] += __sync_fetch_and_and(&words[5], 3);
	words[6] += __sync_fetch_and_or(&words[5], 3);
	words[6] += __sync_fetch_and_xor(&words[5], 3);
	words[6] += __sync_lock_test_and_set(&words[5], 3);
	words[6] += __sync_val_compare_and_swap(&words[5], 3, 4);
	halves[1] = __sync_fetch_and_add(&halves[0], 3);
	halves[1] += __sync_fetch_and_and(&halves[0], 3);
	halves[1] += __sync_fetch_and_or(&halves[0], 3);
	halves[1] += __sync_fetch_and_xor(&halves[0], 3);
	halves[1] += __sync_lock_test_and_set(&halves[0], 3);
	halves[1] += __sync_val_compare_and_swap(&halves[0], 3, 4);
	return 0;
}
#endif

#if CPU >= 4
SEC("socket")
int of_v4(struct skb *skb)
{
	u64 *at = words;

	asm volatile("r1 = -12345\n r2 = 7\n"
		     "r1 = bswap16 r1\n r1 = bswap32 r1\n r1 = bswap64 r1\n"
		     "r1 s/= 3\n r1 s/= r2\n r1 s%%= 5\n r1 s%%= r2\n"
		     "w1 s/= 3\n w1 s/= w2\n w1 s%%= 5\n w1 s%%= w2\n"
		     "r1 = (s8)r2\n r1 = (s16)r2\n r1 = (s32)r2\n w1 = (s8)w2\n w1 = (s16)w2\n"
		     "r1 = %[at]\n"
		     "r2 = *(s8 *)(r1 + 1)\n r2 = *(s16 *)(r1 + 2)\n r2 = *(s32 *)(r1 + 4)\n"
		     "*(u8 *)(r1 + 1) = -7\n *(u16 *)(r1 + 2) = 300\n *(u32 *)(r1 + 4) = 70000\n *(u64 *)(r1 + 8) = -1\n"
		     "gotol +0\n"
		     "gotol +1\n"
		     "goto +1\n"
		     "gotol -2\n" ::[at] "r"(at)
		     : CLOBBERS);
	return 0;
}

SEC("socket")
int may_go(struct skb *skb)
{
	asm volatile("r1 = 0\n"
		     "may_goto +2\n"
		     "r1 += 1\n"
		     "goto -3\n" ::
			     : CLOBBERS);
	return 0;
}
#endif

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Loads and stores of fields whose size differs between the local declaration and the kernel's: the instruction's width
 * has to change. All in the program's own memory, laid out as kernel structs that do not change (iphdr, bpf_insn), so
 * results are known; for little endian. Runs with BPF_PROG_TEST_RUN (raw_tp, Linux 5.10).
 *
 * loads  ->  0;  results = { 64 (u32 for u8), 6 (u16 for u8), 0x0100 (u64 for be16), 0x0100007f (u64 for be32),
 *	 0x0100007f (u8 for be32), 0x0200007f (u16 for be32), -77 as u32 (same size, signed), 4 (bitfield read directly) }
 * stores ->  0;  packet[2..3] = 88 77 (u64 stored to be16), packet[8] = 0x21 (u32 to u8), packet[9] = 6 as before,
 *	 packet[16..19] = dd cc bb aa (u16 declared, be32 in the kernel: the register's low 32 bits)
 * dead   ->  7;  a signed field of another size cannot be resized: poisoned, and never reached
 */
#include "debpf_test.h"

u64 results[8];

/* 45 00 00 54: version 4, header of 5 words, length 84; id 1; ttl 64, tcp, 127.0.0.1 -> 127.0.0.2 */
u8 packet[20] ALIGNED(8) = { 0x45, 0, 0, 0x54, 0, 1, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2 };
u8 insn[8] ALIGNED(8) = { 0x85, 0x19, 0xfe, 0xff, 0xb3, 0xff, 0xff, 0xff };

struct in_no_kernel {
	int a;
} KERNEL;

struct iphdr___wide {
	u64 id;
	u64 saddr;
	u32 ttl;
	u64 tot_len;
	u16 protocol;
} KERNEL;

struct iphdr___narrow {
	u8 saddr;
	u16 daddr;
} KERNEL;

struct iphdr___bits {
	u8 ihl : 4;
	u8 version : 4;
} KERNEL;

struct bpf_insn___same {
	s16 off;
	s32 imm;
} KERNEL;

struct bpf_insn___signed {
	s64 imm;
	s64 off;
} KERNEL;

SEC("raw_tp")
int loads(void *ctx)
{
	struct iphdr___wide *wide = (void *)packet;
	struct iphdr___narrow *narrow = (void *)packet;
	struct iphdr___bits *bits = (void *)packet;
	struct bpf_insn___same *same = (void *)insn;

	results[0] = wide->ttl;
	results[1] = wide->protocol;
	results[2] = wide->id;
	results[3] = wide->saddr;
	results[4] = narrow->saddr;
	results[5] = narrow->daddr;
	results[6] = (u32)same->imm;
	results[7] = bits->version;
	return 0;
}

SEC("raw_tp")
int stores(u64 *args)
{
	struct iphdr___wide *wide = (void *)packet;
	struct iphdr___narrow *narrow = (void *)packet;

	wide->tot_len = 0x1122334455667788;
	wide->ttl = 0x54321;
	/* A value that the compiler does not know keeps the whole register. */
	asm volatile("%[value] = 0xaabbccdd ll\n"
		     : [value] "=r"(args));
	narrow->daddr = (u64)args;
	return 0;
}

SEC("raw_tp")
int dead(void *ctx)
{
	struct bpf_insn___signed *wrong = (void *)insn;

	if (core_type_exists(struct in_no_kernel)) {
		results[0] = wrong->imm;
		results[1] = wrong->off;
	}
	return 7;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

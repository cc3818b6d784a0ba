/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Programs whose results are known. Each runs with BPF_PROG_TEST_RUN (raw_tp: Linux 5.10), returns a number and leaves
 * the rest in a global variable of .bss. Loads on Linux 5.10 and newer. ctx_in: `u64 args[2]`.
 *
 * calls(args = {7, 5})  ->  103
 *	factor is 3 unless the test sets it; the result is  (a * factor + 1) + ((b ^ 2) * factor + 1 + 50) + 9
 *	   static_call  22    triple_plus_one(7)
 *	   global_call  72    fifty_more(5 ^ 2) = triple_plus_one(7) + 50
 *	   weak_call    9     nine()
 *	   calls        4     how often a subprogram began (.data, starts at 100: `call_counter` is 104 after one run)
 *	With factor = 10: static_call 71, global_call 121, weak_call 9, returns 201.
 *	.text has functions nobody calls and alignment padding between functions; `outer` in the program's own section, too.
 *
 * globals(args = {n, -})  ->  sum_of_table + small + n, with the defaults and n = 4:  1+2+3+4+5 + 42 + 4 = 61
 *	.rodata: table[5] = {1,2,3,4,5}, small = 42 (u8), greeting "hello from rodata"
 *	.data:   signed_value = -5 (becomes -5 - n), wide_value 0x1122334455667788 (becomes its value + 1),
 *	         name "before" (becomes "after!")
 *	.bss:    copied_greeting "hello from rodata", copied_literal "a literal" (in .rodata.str1.1)
 *
 * core(args = {-, -})  ->  0;  core_results as /proc says of the process that asks for the run:
 *	   pid, tgid (of the calling thread), comm, ppid (tgid of real_parent), parent_comm
 *	   state_name   1 on kernels whose task_struct has `state` (before 5.14), 2 where it is `__state` (the value read is 0)
 *	   task_size    sizeof(struct task_struct) of the running kernel (its BTF says it)
 *	   comm_offset, comm_size (16), has_comm 1, has_nonsense 0, has_no_struct 0
 *	   ringbuf_type 27 (enum bpf_map_type; the source says 99), has_ringbuf_type 1, has_no_type 0
 *	   task_type_id what BTF_ID the kernel gives task_struct; local_type_id: task_struct___test in the object's BTF
 *
 * bits(args = {-, -})  ->  0;  bit_results of the 20 bytes in `packet` as a struct iphdr and of `insn` as bpf_insn, whose
 *	local declarations have other orders, sizes and a flavour: version 4, ihl 5, ttl 64, protocol 6, tot_len 0x5400 on
 *	little endian; code 0x85, dst 9, src 1, off -2, imm -77; wide_code 0x85 (declared u64, the kernel has u8);
 *	after the run packet[8] (ttl) is 63, insn_copy.imm is 1234 and insn_copy.off is -2 as before.
 *
 * maps(args = {key, value})  ->  sum
 *	outer[0] = inner_b, outer[2] = inner_a, outer[1] empty: all declared with static contents.
 *	writes `value` to inner_b[0], value + 1 to inner_a[0]; counts in `hits` (hash, struct key {u32 key, u16 port = 80, u16 0});
 *	with {1, 40}: returns 40 + 41 + 0 = 81, and adds 1000 if outer[1] should not be empty.
 */
#include "debpf_test.h"

const volatile u32 factor = 3;
const volatile u8 small = 42;
const volatile u32 table[5] = { 1, 2, 3, 4, 5 };
const char greeting[] = "hello from rodata";

u64 call_counter = 100;
s32 signed_value = -5;
u64 wide_value = 0x1122334455667788;
char name[8] = "before";

struct call_results {
	u64 static_call;
	u64 global_call;
	u64 weak_call;
	u32 calls;
} call_results;

char copied_greeting[24];
char copied_literal[16];

/* ---- calls -------------------------------------------------------------------------------------------------- */

/* Nobody calls this one: it only moves what follows. */
static NOINLINE __attribute__((used)) u32 never_called(u32 a)
{
	return a * 7 + call_counter;
}

static NOINLINE u64 triple_plus_one(u64 a)
{
	__sync_fetch_and_add(&call_counter, 1);
	return a * factor + 1;
}

/* Behind a gap, and calls backwards. Without a relocation where clang knows the distance. */
NOINLINE ALIGNED(128) u64 fifty_more(u64 a)
{
	__sync_fetch_and_add(&call_counter, 1);
	return triple_plus_one(a) + 50;
}

NOINLINE u32 never_called_either(u32 a)
{
	return a ^ 0x55;
}

WEAK NOINLINE ALIGNED(64) u64 nine(void)
{
	__sync_fetch_and_add(&call_counter, 1);
	return 9;
}

/* Moves `calls` away from the start of its section. */
SEC("raw_tp")
int before_calls(u64 *args)
{
	return never_called_either(args[0]);
}

SEC("raw_tp")
ALIGNED(64)
int calls(u64 *args)
{
	u64 before = call_counter;

	call_results.static_call = triple_plus_one(args[0]);
	call_results.global_call = fifty_more(args[1] ^ 2);
	call_results.weak_call = nine();
	call_results.calls = call_counter - before;
	return call_results.static_call + call_results.global_call + call_results.weak_call;
}

/* ---- globals ------------------------------------------------------------------------------------------------ */

SEC("raw_tp")
int globals(u64 *args)
{
	static const char after[] = "after!";
	u32 sum = 0;
	u32 n = args[0];
	int i;

	for (i = 0; i < 5; i++)
		sum += table[i];
	signed_value -= n;
	wide_value++;
	for (i = 0; i < (int)sizeof(after); i++)
		name[i] = ((const volatile char *)after)[i];
	bpf_probe_read_kernel_str(copied_greeting, sizeof(copied_greeting), greeting);
	bpf_probe_read_kernel_str(copied_literal, sizeof(copied_literal), "a literal");
	return sum + small + n;
}

/* ---- core --------------------------------------------------------------------------------------------------- */

/* In another order than the kernel's, with an extra member in front. */
struct task_struct___test {
	u64 not_in_the_kernel;
	char comm[16];
	struct task_struct___test *real_parent;
	s32 tgid;
	s32 pid;
} KERNEL;

struct task_struct___before_5_14 {
	long state;
} KERNEL;

struct task_struct___since_5_14 {
	u32 __state;
} KERNEL;

struct in_no_kernel {
	int a;
} KERNEL;

enum bpf_map_type___test {
	BPF_MAP_TYPE_RINGBUF___test = 99,
	BPF_MAP_TYPE_IN_NO_KERNEL___test = 98,
};

struct core_results {
	s32 pid;
	s32 tgid;
	s32 ppid;
	u32 state_name;
	char comm[16];
	char parent_comm[16];
	u64 ringbuf_type;
	u32 task_size;
	u32 comm_offset;
	u32 comm_size;
	u32 task_type_id;
	u32 local_type_id;
	u8 has_comm;
	u8 has_nonsense;
	u8 has_no_struct;
	u8 has_ringbuf_type;
	u8 has_no_type;
} core_results;

/* A subprogram with relocations of its own. */
static NOINLINE s32 parent_of(struct task_struct___test *task)
{
	struct task_struct___test *parent = core_read(task, real_parent);

	core_copy(&core_results.parent_comm, parent, comm);
	return core_read(parent, tgid);
}

SEC("raw_tp")
int core(void *ctx)
{
	struct task_struct___test *task = (void *)bpf_get_current_task();
	struct core_results *out = &core_results;

	out->pid = core_read(task, pid);
	out->tgid = core_read(task, tgid);
	out->ppid = parent_of(task);
	core_copy(&out->comm, task, comm);

	/* One of the two branches reads a member that is not there: dead code, poisoned, and accepted. */
	if (core_field(((struct task_struct___since_5_14 *)0)->__state, FIELD_EXISTS)) {
		u32 state = core_read((struct task_struct___since_5_14 *)task, __state);

		out->state_name = state ? 3 : 2;
	} else {
		long state = core_read((struct task_struct___before_5_14 *)task, state);

		out->state_name = state ? 4 : 1;
	}

	out->task_size = core_type_size(struct task_struct___test);
	out->comm_offset = core_field(task->comm, FIELD_BYTE_OFFSET);
	out->comm_size = core_field(task->comm, FIELD_BYTE_SIZE);
	out->has_comm = core_field(task->comm, FIELD_EXISTS);
	out->has_nonsense = core_field(task->not_in_the_kernel, FIELD_EXISTS);
	out->has_no_struct = core_type_exists(struct in_no_kernel);
	out->task_type_id = core_type_id_kernel(struct task_struct___test);
	out->local_type_id = core_type_id_local(struct task_struct___test);
	out->has_ringbuf_type = core_enum_exists(enum bpf_map_type___test, BPF_MAP_TYPE_RINGBUF___test);
	out->has_no_type = core_enum_exists(enum bpf_map_type___test, BPF_MAP_TYPE_IN_NO_KERNEL___test);
	out->ringbuf_type = core_enum_value(enum bpf_map_type___test, BPF_MAP_TYPE_RINGBUF___test);
	return 0;
}

/* ---- bits --------------------------------------------------------------------------------------------------- */

struct iphdr___other_order {
	u64 not_in_the_kernel;
	u8 protocol;
	u8 pad : 3;
	u8 version : 4;
	u8 gap;
	u8 ihl : 4;
	u8 ttl;
	be16 tot_len;
} KERNEL;

struct bpf_insn___other_order {
	s32 imm;
	s16 off;
	u8 pad : 2;
	u8 src_reg : 4;
	u16 gap;
	u8 dst_reg : 4;
	u8 code;
} KERNEL;

/* Wider than the kernel's: the load itself has to change. */
struct bpf_insn___wide {
	u64 code;
} KERNEL;

/* Aligned, or clang reads them byte by byte.
 * 45 00 00 54: version 4, header of 5 words, length 84; ttl 64, tcp, 127.0.0.1 -> 127.0.0.2 */
u8 packet[20] ALIGNED(8) = { 0x45, 0, 0, 0x54, 0, 1, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2 };
/* call, dst 9, src 1, off -2, imm -77 in little endian */
u8 insn[8] ALIGNED(8) = { 0x85, 0x19, 0xfe, 0xff, 0xb3, 0xff, 0xff, 0xff };
u8 insn_copy[8] ALIGNED(8) = { 0x85, 0x19, 0xfe, 0xff, 0xb3, 0xff, 0xff, 0xff };

struct bit_results {
	u32 version;
	u32 ihl;
	u32 ttl;
	u32 protocol;
	u32 tot_len;
	u32 code;
	u32 dst;
	u32 src;
	s32 off;
	s32 imm;
	u64 wide_code;
} bit_results;

SEC("raw_tp")
int bits(void *ctx)
{
	struct iphdr___other_order *ip = (void *)packet;
	struct bpf_insn___other_order *in = (void *)insn;
	struct bpf_insn___other_order *copy = (void *)insn_copy;
	struct bit_results *out = &bit_results;

	out->version = core_bits(ip, version);
	out->ihl = core_bits(ip, ihl);
	out->ttl = ip->ttl;
	out->protocol = core_bits(ip, protocol);
	out->tot_len = ip->tot_len;
	out->code = in->code;
	out->dst = core_bits(in, dst_reg);
	out->src = core_bits(in, src_reg);
	out->off = core_bits(in, off);
	out->imm = in->imm;
	out->wide_code = ((struct bpf_insn___wide *)insn)->code;
	ip->ttl--;
	copy->imm = 1234;
	return 0;
}

/* ---- maps --------------------------------------------------------------------------------------------------- */

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} inner_a SEC(".maps"), inner_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, u32);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { [0] = (void *)&inner_b, [2] = (void *)&inner_a },
};

struct hit_key {
	u32 key;
	u16 port;
	u16 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct hit_key);
	__type(value, u64);
} hits SEC(".maps");

static NOINLINE u64 store(u32 which, u64 value)
{
	void *inner = bpf_map_lookup_elem(&outer, &which);
	u32 first = 0;
	u64 *slot;

	if (!inner)
		return 0;
	slot = bpf_map_lookup_elem(inner, &first);
	if (!slot)
		return 0;
	*slot = value;
	return value;
}

SEC("raw_tp")
int maps(u64 *args)
{
	struct hit_key key = { .key = args[0], .port = 80 };
	u64 *count = bpf_map_lookup_elem(&hits, &key);
	u64 one = 1;

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&hits, &key, &one, BPF_ANY);
	return store(0, args[1]) + store(2, args[1] + 1) + (store(1, 1) ? 1000 : 0);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * To be linked with library.bpf.c and defaults.bpf.c, in any order. Loads on Linux 5.10 and newer. ctx_in: `u64 args[2]`.
 *
 * link_main(args = {a, b})  ->  added + scaled + stepped + tuned + limit, with {7, 5}: 12 + 14 + 8 + 5 + 7 = 46
 *	added    add(a, b)       library's strong a + b, not the weak a * b of defaults
 *	scaled   scale(a)        weak in library (* 2) and defaults (* 100): the first in the order of the objects
 *	stepped  step(a)         a static function and a static variable that library has, too (there it starts at 1000)
 *	secret   secret(b)       hidden in library: b + 1000
 *	tuned    5               strong in library (.data), weak in defaults (.bss); library's reset() sets it
 *	limit    7               .rodata of library
 *	counter  101             .data of library, counted up by one
 *	found    a               of library's map "shared", where library puts it under the key 3
 *	pid, tgid                read by CO-RE: one here, the other in library
 *	main_text "main", and library's variable library_text "library": literals of both files, in .rodata.str1.1
 */
#include "debpf_test.h"

/* SEC() without "used", which clang 19 refuses on what is only declared. */
#define __maps __attribute__((section(".maps")))

struct task_struct {
	int pid;
} KERNEL;

extern int add(int a, int b);
extern int scale(int value);
extern int secret(int value);
extern int reset(int value);
extern int read_tgid(void);
extern int copy_text(void);
extern int put(u32 key, u64 value);

extern int counter;
extern const volatile int limit;
extern int tuned;

extern struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u64);
} shared __maps;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u32);
} own SEC(".maps");

struct link_results {
	int added;
	int scaled;
	int stepped;
	int secret;
	int tuned;
	int limit;
	int counter;
	u64 found;
	int pid;
	int tgid;
	char main_text[8];
} link_results;

static volatile int state = 1;

static NOINLINE int step(int by)
{
	state += by;
	return state;
}

SEC("raw_tp/sys_enter") int link_main(u64 *args)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	int a = args[0], b = args[1];
	u32 key = 3;
	u64 *found;

	reset(5);
	put(key, a);
	found = bpf_map_lookup_elem(&shared, &key);
	counter++;
	link_results.added = add(a, b);
	link_results.scaled = scale(a);
	link_results.stepped = step(a);
	link_results.secret = secret(b);
	link_results.tuned = tuned;
	link_results.limit = limit;
	link_results.counter = counter;
	link_results.found = found ? *found : 0;
	link_results.pid = core_read(task, pid);
	link_results.tgid = read_tgid();
	bpf_probe_read_kernel_str(link_results.main_text, sizeof(link_results.main_text), "main");
	copy_text();
	return link_results.added + link_results.scaled + link_results.stepped + link_results.tuned + link_results.limit;
}

char LICENSE[] SEC("license") = "GPL";

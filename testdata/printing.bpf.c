/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Programs that print: to the trace pipe of tracefs. Each runs with BPF_PROG_TEST_RUN (raw_tp, Linux 5.10), n = args[0].
 *
 * say         "debpf test n: hello"
 * say_lines   "debpf test n: first" and "second", with one call; its text ends in a newline, too
 */
#include "debpf_test.h"

static long (*bpf_trace_printk)(const char *format, u32 size, ...) = (void *)6;

#define printk(format, ...)                                                                                            \
	({                                                                                                             \
		static const char text[] = format;                                                                     \
		bpf_trace_printk(text, sizeof(text), ##__VA_ARGS__);                                                   \
	})

SEC("raw_tp")
int say(u64 *args)
{
	printk("debpf test %d: hello", args[0]);
	return 0;
}

SEC("raw_tp")
int say_lines(u64 *args)
{
	printk("debpf test %d: first\nsecond\n", args[0]);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A program that prints to its own streams (Linux 6.18, where the function has this name). `say` runs with
 * BPF_PROG_TEST_RUN (syscall; ctx_in: `u64 args[1]`), n = args[0]: "out n\n" to stdout, "err n\n" to stderr;
 * gives what the first call gave (-ENOMEM on machines whose CPU has no cmpxchg16b).
 */
#include "debpf_test.h"

extern int bpf_stream_vprintk_impl(int stream, const char *format, const void *data, u32 length, void *aux) __ksym;

enum { STDOUT = 1, STDERR = 2 };

#define print(stream, format, ...)                                                                                     \
	({                                                                                                             \
		static const char text[] = format;                                                                     \
		u64 data[] = { __VA_ARGS__ };                                                                          \
		bpf_stream_vprintk_impl(stream, text, data, sizeof(data), NULL);                                       \
	})

SEC("syscall")
int say(u64 *args)
{
	int written = print(STDOUT, "out %d\n", args[0]);

	print(STDERR, "err %d\n", args[0]);
	return written;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

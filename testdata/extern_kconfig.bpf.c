/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * What a program may want of the kernel's configuration: numbers, tristates, strings, libbpf's virtual LINUX_*, a weak
 * one that no kernel has (0). Linux 5.10. `read` (BPF_PROG_TEST_RUN, raw_tp) returns LINUX_KERNEL_VERSION and copies the
 * rest to .bss.
 */
#include "debpf_test.h"

enum libbpf_tristate {
	TRI_NO = 0,
	TRI_YES = 1,
	TRI_MODULE = 2,
};

extern int LINUX_KERNEL_VERSION __kconfig;
extern int CONFIG_HZ __kconfig WEAK;
extern _Bool CONFIG_BPF_SYSCALL __kconfig WEAK;
extern enum libbpf_tristate CONFIG_BPF __kconfig WEAK;
extern char CONFIG_DEFAULT_HOSTNAME[16] __kconfig WEAK;
extern u64 CONFIG_IN_NO_KERNEL __kconfig WEAK;

s32 hz;
u8 bpf_syscall;
u32 bpf;
u64 in_no_kernel = 1;
char hostname[16];

SEC("raw_tp")
int read(void *ctx)
{
	hz = CONFIG_HZ;
	bpf_syscall = CONFIG_BPF_SYSCALL;
	bpf = CONFIG_BPF;
	in_no_kernel = CONFIG_IN_NO_KERNEL;
	for (int i = 0; i < 16; i++)
		hostname[i] = ((const volatile char *)CONFIG_DEFAULT_HOSTNAME)[i];
	return LINUX_KERNEL_VERSION;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

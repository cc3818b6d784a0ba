/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Options of the kernel's configuration of each type that they can have, all of them weak, so that every kernel can run
 * it. Linux 5.10. `read` (BPF_PROG_TEST_RUN, raw_tp) copies them to `seen` and returns LINUX_KERNEL_VERSION.
 *
 * Their order in the map: alignment descending, size ascending, name; so 8 bytes, 4, 2, 1, and the texts behind the
 * single bytes.
 */
#include "debpf_test.h"

enum libbpf_tristate {
	TRI_NO = 0,
	TRI_YES = 1,
	TRI_MODULE = 2,
};
typedef const volatile u64 number;

extern unsigned int LINUX_KERNEL_VERSION __kconfig;
extern _Bool LINUX_HAS_BPF_COOKIE __kconfig;
extern u64 LINUX_HAS_SYSCALL_WRAPPER __kconfig;
extern s16 LINUX_HAS_SOMETHING_NEW __kconfig WEAK;

extern _Bool CONFIG_BPF_SYSCALL __kconfig WEAK;
extern _Bool CONFIG_SMP __kconfig WEAK;
extern _Bool CONFIG_NOT_THERE __kconfig WEAK;
extern enum libbpf_tristate CONFIG_NET __kconfig WEAK;
extern enum libbpf_tristate CONFIG_VETH __kconfig WEAK;
extern enum libbpf_tristate CONFIG_NO_SUCH_MODULE __kconfig WEAK;
extern char CONFIG_INET __kconfig WEAK;
extern u8 CONFIG_LOG_BUF_SHIFT __kconfig WEAK;
extern s8 CONFIG_PANIC_TIMEOUT __kconfig WEAK;
extern s16 CONFIG_NR_CPUS __kconfig WEAK;
extern u16 CONFIG_HZ __kconfig WEAK;
extern s32 CONFIG_DEFAULT_MMAP_MIN_ADDR __kconfig WEAK;
extern u32 CONFIG_PHYSICAL_START __kconfig WEAK;
extern s64 CONFIG_PHYSICAL_ALIGN __kconfig WEAK;
extern number CONFIG_ILLEGAL_POINTER_VALUE __kconfig WEAK;
extern char CONFIG_CC_VERSION_TEXT[8] __kconfig WEAK;
extern const char CONFIG_DEFAULT_HOSTNAME[32] __kconfig WEAK;
extern char CONFIG_LOCALVERSION[1] __kconfig WEAK;

struct options {
	u64 illegal_pointer;
	u64 wrapper;
	s64 physical_align;
	u32 physical_start;
	s32 min_address;
	u32 net, veth, no_module;
	u16 hz;
	s16 cpus, new_thing;
	s8 timeout;
	u8 log_shift;
	u8 inet, cookie, smp, not_there, bpf;
	char compiler[8];
	char hostname[32];
	char local_version[1];
};

struct options seen = { .not_there = 1 };

static INLINE void copy(char *to, const volatile char *from, int size)
{
	for (int i = 0; i < size; i++)
		to[i] = from[i];
}

SEC("raw_tp")
int read(void *ctx)
{
	seen.illegal_pointer = CONFIG_ILLEGAL_POINTER_VALUE;
	seen.wrapper = LINUX_HAS_SYSCALL_WRAPPER;
	seen.physical_align = CONFIG_PHYSICAL_ALIGN;
	seen.physical_start = CONFIG_PHYSICAL_START;
	seen.min_address = CONFIG_DEFAULT_MMAP_MIN_ADDR;
	seen.net = CONFIG_NET;
	seen.veth = CONFIG_VETH;
	seen.no_module = CONFIG_NO_SUCH_MODULE;
	seen.hz = CONFIG_HZ;
	seen.cpus = CONFIG_NR_CPUS;
	seen.new_thing = LINUX_HAS_SOMETHING_NEW;
	seen.timeout = CONFIG_PANIC_TIMEOUT;
	seen.log_shift = CONFIG_LOG_BUF_SHIFT;
	seen.inet = CONFIG_INET;
	seen.cookie = LINUX_HAS_BPF_COOKIE;
	seen.smp = CONFIG_SMP;
	seen.not_there = CONFIG_NOT_THERE;
	seen.bpf = CONFIG_BPF_SYSCALL;
	copy(seen.compiler, CONFIG_CC_VERSION_TEXT, 8);
	copy(seen.hostname, (const volatile char *)CONFIG_DEFAULT_HOSTNAME, 32);
	copy(seen.local_version, CONFIG_LOCALVERSION, 1);
	return LINUX_KERNEL_VERSION;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

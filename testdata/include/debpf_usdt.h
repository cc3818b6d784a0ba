/* SPDX-License-Identifier: MIT
 *
 * USDT arguments for the programs of this folder, by the two maps that loaders know from libbpf's usdt.bpf.h: number of a
 * spec -> spec, and (kernels before 5.15, which have no attach cookies) address -> number of a spec. The layout of a spec is that of
 * libbpf 1.7, or with USDT_OLD_LAYOUT that of before. Offsets of registers are the loader's business, so this is the same for every machine with 64 bits.
 */
#ifndef DEBPF_USDT_H
#define DEBPF_USDT_H

#include "debpf_test.h"

static long (*bpf_probe_read_user)(void *dst, u32 size, const void *src) = (void *)112;
static u64 (*bpf_get_attach_cookie)(void *ctx) = (void *)174;

enum __bpf_usdt_arg_type { USDT_CONSTANT, USDT_REGISTER, USDT_MEMORY, USDT_INDEXED };

struct __bpf_usdt_arg_spec {
	u64 val_off;
#ifdef USDT_OLD_LAYOUT
	enum __bpf_usdt_arg_type arg_type;
#else
	enum __bpf_usdt_arg_type arg_type : 8;
	u16 idx_reg_off : 12;
	u16 scale_bitshift : 4;
	u8 __reserved : 8;
#endif
	short reg_off;
	_Bool arg_signed;
	char arg_bitshift;
};

struct __bpf_usdt_spec {
	struct __bpf_usdt_arg_spec args[12];
	u64 usdt_cookie;
	short arg_cnt;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, int);
	__type(value, struct __bpf_usdt_spec);
} __bpf_usdt_specs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, long);
	__type(value, u32);
} __bpf_usdt_ip_to_spec_id SEC(".maps");

extern const _Bool LINUX_HAS_BPF_COOKIE __kconfig;

/* The spec of the place that was hit; `ip_offset` is where the register of the instruction's address is. */
static INLINE struct __bpf_usdt_spec *usdt_spec(void *ctx, u32 ip_offset)
{
	u32 id = 0;

	if (LINUX_HAS_BPF_COOKIE) {
		id = bpf_get_attach_cookie(ctx);
	} else {
		long ip = 0;
		u32 *found;

		bpf_probe_read_kernel(&ip, sizeof(ip), ctx + ip_offset);
		found = bpf_map_lookup_elem(&__bpf_usdt_ip_to_spec_id, &ip);
		if (!found)
			return NULL;
		id = *found;
	}
	return bpf_map_lookup_elem(&__bpf_usdt_specs, &id);
}

/* The value of an argument; what cannot be read is 0xdead. */
static INLINE s64 usdt_value(void *ctx, struct __bpf_usdt_arg_spec *arg)
{
	u64 value = arg->val_off, index = 0;
	u32 shift = arg->arg_bitshift & 63;

	if (arg->arg_type != USDT_CONSTANT && bpf_probe_read_kernel(&value, sizeof(value), ctx + arg->reg_off))
		return 0xdead;
#ifndef USDT_OLD_LAYOUT
	if (arg->arg_type == USDT_INDEXED && bpf_probe_read_kernel(&index, sizeof(index), ctx + arg->idx_reg_off))
		return 0xdead;
	index <<= arg->scale_bitshift;
#endif
	if (arg->arg_type >= USDT_MEMORY) {
		value += arg->val_off + index;
		if (bpf_probe_read_user(&value, sizeof(value), (void *)value))
			return 0xdead;
	}
	value <<= shift;
	return arg->arg_signed ? (s64)value >> shift : (s64)(value >> shift);
}

#endif

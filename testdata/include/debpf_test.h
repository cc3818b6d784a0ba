/* SPDX-License-Identifier: MIT
 *
 * What the programs of this folder share: map and section macros, helpers, CO-RE built-ins. Kernel structs are declared
 * where they are used, with no more members than the program touches.
 *
 * Facts: linux/bpf.h (helper numbers, enum values); clang's BPF built-ins; Linux's Documentation/bpf/btf.rst.
 */
#ifndef DEBPF_TEST_H
#define DEBPF_TEST_H

typedef signed char s8;
typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;
typedef u16 be16;
typedef u32 be32;

#define NULL ((void *)0)
#define SEC(name) __attribute__((section(name), used))
#define NOINLINE __attribute__((noinline))
#define INLINE inline __attribute__((always_inline))
#define WEAK __attribute__((weak))
#define HIDDEN __attribute__((visibility("hidden")))
/* Functions so aligned leave a gap behind the one before: section offsets then differ from summed sizes. */
#define ALIGNED(bytes) __attribute__((aligned(bytes)))
#define KERNEL __attribute__((preserve_access_index))

/* Members of a BTF-defined map. */
#define __uint(name, value) int(*name)[value]
#define __type(name, value) __typeof__(value) *name
#define __array(name, value) __typeof__(value) *name[]
/* 64 bits do not fit an array's length: the value of an enumerator, whose name must be unique in the file. */
#define __ulong(name, value) enum { UNIQUE(name##_, __COUNTER__) = value } name
#define UNIQUE(a, b) UNIQUE_(a, b)
#define UNIQUE_(a, b) a##b

#define __ksym __attribute__((section(".ksyms")))
#define __kconfig __attribute__((section(".kconfig")))

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_STACK_TRACE = 7,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LRU_PERCPU_HASH = 10,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_HASH_OF_MAPS = 13,
	BPF_MAP_TYPE_QUEUE = 22,
	BPF_MAP_TYPE_STACK = 23,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_BLOOM_FILTER = 30,
};

#define BPF_ANY 0
#define BPF_F_NO_PREALLOC (1U << 0)
#define BPF_F_NO_COMMON_LRU (1U << 1)
#define BPF_F_NUMA_NODE (1U << 2)
#define BPF_F_RDONLY_PROG (1U << 7)
#define BPF_F_MMAPABLE (1U << 10)
#define BPF_RB_NO_WAKEUP (1ULL << 0)
#define LIBBPF_PIN_BY_NAME 1

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static u32 (*bpf_get_smp_processor_id)(void) = (void *)8;
static long (*bpf_tail_call)(void *ctx, void *prog_array, u32 index) = (void *)12;
static u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*bpf_get_current_comm)(void *buf, u32 size) = (void *)16;
static u64 (*bpf_get_current_task)(void) = (void *)35;
static long (*bpf_probe_read_kernel)(void *dst, u32 size, const void *src) = (void *)113;
static long (*bpf_probe_read_kernel_str)(void *dst, u32 size, const void *src) = (void *)115;
static long (*bpf_ringbuf_output)(void *ringbuf, const void *data, u64 size, u64 flags) = (void *)130;
static void *(*bpf_ringbuf_reserve)(void *ringbuf, u64 size, u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *data, u64 flags) = (void *)132;
static void (*bpf_ringbuf_discard)(void *data, u64 flags) = (void *)133;
static long (*bpf_for_each_map_elem)(void *map, void *callback, void *context, u64 flags) = (void *)164;
static long (*bpf_loop)(u32 count, void *callback, void *context, u64 flags) = (void *)181;

/* enum bpf_core_relo_kind: what of a field is wanted. */
#define FIELD_BYTE_OFFSET 0
#define FIELD_BYTE_SIZE 1
#define FIELD_EXISTS 2
#define FIELD_SIGNED 3
#define FIELD_LSHIFT_U64 4
#define FIELD_RSHIFT_U64 5

#define core_field(field, kind) __builtin_preserve_field_info(field, kind)
#define core_type_exists(type) __builtin_preserve_type_info(*(__typeof__(type) *)0, 0)
#define core_type_size(type) __builtin_preserve_type_info(*(__typeof__(type) *)0, 1)
#define core_type_matches(type) __builtin_preserve_type_info(*(__typeof__(type) *)0, 2) /* clang 15 */
#define core_type_id_local(type) __builtin_btf_type_id(*(__typeof__(type) *)0, 0)
#define core_type_id_kernel(type) __builtin_btf_type_id(*(__typeof__(type) *)0, 1)
#define core_enum_exists(type, value) __builtin_preserve_enum_value(*(__typeof__(type) *)value, 0)
#define core_enum_value(type, value) __builtin_preserve_enum_value(*(__typeof__(type) *)value, 1)

/* Copies `source->field` out of kernel memory; the loader fixes up the offset. */
#define core_copy(destination, source, field)                                                                          \
	bpf_probe_read_kernel(destination, sizeof(*(destination)), __builtin_preserve_access_index(&(source)->field))

/* The value of `source->field` in kernel memory. */
#define core_read(source, field)                                                                                       \
	({                                                                                                             \
		__typeof__((source)->field) core_value;                                                                \
		core_copy(&core_value, source, field);                                                                 \
		core_value;                                                                                            \
	})

/*
 * The value of a bitfield (or of any integer field up to 64 bits) in memory that the program may read directly: load
 * as many bytes as the kernel's field needs, then shift away what is left and right of it. The size is a constant when
 * the verifier sees it: three of the four loads are dead code.
 */
#define core_bits(source, field)                                                                                       \
	({                                                                                                             \
		const void *core_at = (const void *)(source) + core_field((source)->field, FIELD_BYTE_OFFSET);         \
		u64 core_word = 0;                                                                                     \
		asm volatile("" : "+r"(core_at));                                                                      \
		switch (core_field((source)->field, FIELD_BYTE_SIZE)) {                                                \
		case 1: core_word = *(const volatile u8 *)core_at; break;                                              \
		case 2: core_word = *(const volatile u16 *)core_at; break;                                             \
		case 4: core_word = *(const volatile u32 *)core_at; break;                                             \
		case 8: core_word = *(const volatile u64 *)core_at; break;                                             \
		}                                                                                                      \
		core_word <<= core_field((source)->field, FIELD_LSHIFT_U64);                                           \
		core_field((source)->field, FIELD_SIGNED)                                                              \
			? (u64)((s64)core_word >> core_field((source)->field, FIELD_RSHIFT_U64))                       \
			: core_word >> core_field((source)->field, FIELD_RSHIFT_U64);                                  \
	})

#endif

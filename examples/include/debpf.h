/* SPDX-License-Identifier: MIT
 *
 * What a BPF program tells debpf about its events. Works with clang 14 and newer, in C; needs no other header.
 *
 *	struct exec_event { __u32 pid; char comm[16]; };
 *
 *	struct {
 *		__uint(type, BPF_MAP_TYPE_RINGBUF);
 *		__uint(max_entries, 256 * 1024);
 *	} events SEC(".maps");
 *
 *	DEBPF_EVENT(events, exec_event);
 *
 * says: records of the size of `struct exec_event` in the map `events` are of that type. A map that carries several
 * types gets one line for each; they are told apart by the length of the record, so their sizes must differ. The
 * line stands behind the map's definition and the struct's, once per pair. It costs 8 bytes of .bss and no
 * instruction; other loaders ignore it.
 */
#ifndef DEBPF_H
#define DEBPF_H

/*
 * Two declarations, because clang drops whatever BTF nothing refers to:
 *
 * 1. The map once more. Both are tentative definitions (C11 6.9.2), so clang emits the last one, with the attributes
 *    of all: BTF gets a DECL_TAG "debpf:event:STRUCT" on the map's VAR. An `extern` redeclaration would lose the tag.
 * 2. A global pointer to the struct. clang keeps no BTF of a struct that only local variables use, however often they
 *    do; this keeps it. The declaration before it is for -Wmissing-variable-declarations.
 */
#define DEBPF_EVENT(map, type)                                                                                         \
	__typeof__(map) map DEBPF_DECL_TAG("debpf:event:" #type);                                                      \
	extern const struct type *debpf_event_##map##___##type;                                                        \
	const struct type *debpf_event_##map##___##type __attribute__((unused))

/*
 * On a member of an event's struct: how `debpf run` shows it, unless the user says otherwise (--format FIELD=KIND).
 * Kinds: dec, hex, time (nanoseconds of bpf_ktime_get_ns() as the time of day), ip4, ip6, mac.
 *
 *	struct exec_event { __u64 time DEBPF_FORMAT(time); __be32 address DEBPF_FORMAT(ip4); };
 *
 * In BTF it is a DECL_TAG "debpf:format:KIND" on the member.
 */
#define DEBPF_FORMAT(kind) DEBPF_DECL_TAG("debpf:format:" #kind)

/*
 * Events that the program could not send: only the program knows. Where there is such a counter, debpf shows it (`run` at
 * its end, the library as `stream.lost`).
 *
 *	DEBPF_LOST(events);
 *
 *	struct exec_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
 *	if (!event) {
 *		DEBPF_COUNT_LOST(events);
 *		return 0;
 *	}
 *
 * It is a global variable with a DECL_TAG "debpf:lost:MAP". The tag may as well be on any other global integer, or on an
 * array or per-CPU array of integers, whose sum counts then.
 */
#define DEBPF_LOST(map)                                                                                                \
	extern unsigned long long debpf_lost_##map;                                                                    \
	unsigned long long debpf_lost_##map DEBPF_DECL_TAG("debpf:lost:" #map)

#define DEBPF_COUNT_LOST(map) ((void)__sync_fetch_and_add(&debpf_lost_##map, 1))

/* clang 13 and older have no such attribute: there the anchor alone names the type. */
#if defined(__has_attribute) && __has_attribute(btf_decl_tag)
#define DEBPF_DECL_TAG(text) __attribute__((btf_decl_tag(text)))
#else
#define DEBPF_DECL_TAG(text)
#endif

#endif

/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Ring buffers, and how a reader learns what is in them. Each program runs with BPF_PROG_TEST_RUN (raw_tp, Linux 5.10;
 * ctx_in: `u64 args[2]`) and emits records made of args[0] = n:
 *
 * emit_tagged      tagged:    one struct tagged_event (tag on the map, DEBPF_EVENT)
 *	 { u8 = n, i8 = -1, u16 = n, i16 = -2, u32 = n, i32 = -3, u64 = n << 32 | n, i64 = -4, flag = true,
 *	   state = STATE_RUNNING (2), low = 5 (3 bits), high = -2 (signed, 5 bits), comm = "tagged", bytes = {1..6}, words = {n, n + 1, n + 2},
 *	   where = { x = -n, y = n }, either.number = 0x01020304, and from an anonymous struct: inside = 77 }
 * emit_two         two_kinds: a struct open_event (24 bytes), then a struct close_event (16 bytes): told apart by length
 *	 { id = n, flags = 3, mode = 0644, fd = n + 1 }, { id = n, result = -2, fd = n + 1 }
 * emit_output      by_output: one struct output_event by bpf_ringbuf_output { sequence = n, text = "output" }
 * emit_anchored    anchored:  one struct anchored_event { a = n, b = n + 1 }; no tag, only bpf2go's kind of anchor
 * emit_untyped     untyped:   one struct local_event (12 bytes), of which the object's BTF knows nothing
 * emit_discarded   tagged:    one record discarded, then one submitted with u32 = n
 * emit_many        tagged:    n records (at most 1000), u32 = 0, 1, ...; returns how many did not fit
 */
#include "../examples/include/debpf.h"
#include "debpf_test.h"

enum state {
	STATE_NONE,
	STATE_READY,
	STATE_RUNNING,
	STATE_LOST = -1,
};

typedef _Bool bool_t;

struct point {
	s32 x;
	s32 y;
};

struct tagged_event {
	u8 u8;
	s8 i8;
	u16 u16;
	s16 i16;
	u32 u32;
	s32 i32;
	u64 u64;
	s64 i64;
	bool_t flag;
	enum state state;
	u32 low : 3;
	s32 high : 5;
	char comm[16];
	unsigned char bytes[6];
	unsigned short words[3];
	struct point where;
	union {
		unsigned int number;
		unsigned char parts[4];
	} either;
	struct {
		int inside;
	};
};

struct open_event {
	u64 id;
	u32 flags;
	u16 mode;
	s64 fd;
};

struct close_event {
	u64 id;
	s32 result;
	s32 fd;
};

struct output_event {
	u64 sequence;
	char text[24];
};

struct anchored_event {
	u32 a;
	u64 b;
};

struct local_event {
	u32 a;
	u32 b;
	u32 c;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} tagged SEC(".maps"), two_kinds SEC(".maps"), by_output SEC(".maps"), anchored SEC(".maps"), untyped SEC(".maps");

DEBPF_EVENT(tagged, tagged_event);
DEBPF_EVENT(two_kinds, open_event);
DEBPF_EVENT(two_kinds, close_event);
DEBPF_EVENT(by_output, output_event);
const struct anchored_event *unused __attribute__((unused));

SEC("raw_tp")
int emit_tagged(u64 *args)
{
	u32 n = args[0];
	struct tagged_event *event = bpf_ringbuf_reserve(&tagged, sizeof(*event), 0);

	if (!event)
		return 1;
	__builtin_memset(event, 0, sizeof(*event));
	event->u8 = n;
	event->i8 = -1;
	event->u16 = n;
	event->i16 = -2;
	event->u32 = n;
	event->i32 = -3;
	event->u64 = (u64)n << 32 | n;
	event->i64 = -4;
	event->flag = 1;
	event->state = STATE_RUNNING;
	event->low = 5;
	event->high = -2;
	__builtin_memcpy(event->comm, "tagged", 7);
	for (int i = 0; i < 6; i++)
		event->bytes[i] = i + 1;
	for (int i = 0; i < 3; i++)
		event->words[i] = n + i;
	event->where.x = -n;
	event->where.y = n;
	event->either.number = 0x01020304;
	event->inside = 77;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("raw_tp")
int emit_two(u64 *args)
{
	u32 n = args[0];
	struct open_event *opened = bpf_ringbuf_reserve(&two_kinds, sizeof(*opened), 0);
	struct close_event *closed;

	if (!opened)
		return 1;
	opened->id = n;
	opened->flags = 3;
	opened->mode = 0644;
	opened->fd = n + 1;
	bpf_ringbuf_submit(opened, 0);

	closed = bpf_ringbuf_reserve(&two_kinds, sizeof(*closed), 0);
	if (!closed)
		return 1;
	closed->id = n;
	closed->result = -2;
	closed->fd = n + 1;
	bpf_ringbuf_submit(closed, 0);
	return 0;
}

SEC("raw_tp")
int emit_output(u64 *args)
{
	struct output_event event = { .sequence = args[0], .text = "output" };

	return bpf_ringbuf_output(&by_output, &event, sizeof(event), 0);
}

SEC("raw_tp")
int emit_anchored(u64 *args)
{
	struct anchored_event *event = bpf_ringbuf_reserve(&anchored, sizeof(*event), 0);

	if (!event)
		return 1;
	event->a = args[0];
	event->b = args[0] + 1;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("raw_tp")
int emit_untyped(u64 *args)
{
	struct local_event *event = bpf_ringbuf_reserve(&untyped, sizeof(*event), 0);

	if (!event)
		return 1;
	event->a = args[0];
	event->b = args[0] + 1;
	event->c = args[0] + 2;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("raw_tp")
int emit_discarded(u64 *args)
{
	struct tagged_event *event = bpf_ringbuf_reserve(&tagged, sizeof(*event), 0);

	if (!event)
		return 1;
	event->u32 = 0xdeadbeef;
	bpf_ringbuf_discard(event, 0);

	event = bpf_ringbuf_reserve(&tagged, sizeof(*event), 0);
	if (!event)
		return 1;
	__builtin_memset(event, 0, sizeof(*event));
	event->u32 = args[0];
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("raw_tp")
int emit_many(u64 *args)
{
	struct tagged_event *event;
	u32 n = args[0];
	u32 dropped = 0;
	u32 i;

	for (i = 0; i < 1000; i++) {
		if (i >= n)
			break;
		event = bpf_ringbuf_reserve(&tagged, sizeof(*event), 0);
		if (!event) {
			dropped++;
			continue;
		}
		__builtin_memset(event, 0, sizeof(*event));
		event->u32 = i;
		bpf_ringbuf_submit(event, 0);
	}
	return dropped;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

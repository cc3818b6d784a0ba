/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Iterators (Linux 5.8), which print what they come by: text, or structs.
 *
 * task_text     iter/task: a line "PID TGID COMM" for each task, below the heading "pid tgid comm"
 * task_records  iter/task: a struct task_record for each task
 * elements      iter/bpf_map_elem (5.9): a struct element for each element of a hash map of u32 to u64
 */
#include "debpf_test.h"

static long (*bpf_seq_printf)(void *seq, const char *format, u32 size, const void *data, u32 length) = (void *)126;
static long (*bpf_seq_write)(void *seq, const void *data, u32 length) = (void *)127;

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
} KERNEL;

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
} KERNEL;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} KERNEL;

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *map;
	void *key;
	void *value;
} KERNEL;

struct task_record {
	u32 pid;
	u32 tgid;
	char comm[16];
};

struct element {
	u32 key;
	u64 value;
};

const struct task_record *task_record_type __attribute__((unused));
const struct element *element_type __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u64);
} numbers SEC(".maps");

#define print(seq, format, ...)                                                                                        \
	({                                                                                                             \
		static const char text[] = format;                                                                     \
		u64 data[] = { __VA_ARGS__ };                                                                          \
		bpf_seq_printf(seq, text, sizeof(text), data, sizeof(data));                                           \
	})

SEC("iter/task")
int task_text(struct bpf_iter__task *context)
{
	struct seq_file *seq = context->meta->seq;
	struct task_struct *task = context->task;

	if (!task)
		return 0;
	if (context->meta->seq_num == 0) {
		static const char heading[] = "pid tgid comm\n";

		bpf_seq_write(seq, heading, sizeof(heading) - 1);
	}
	print(seq, "%d %d %s\n", task->pid, task->tgid, (u64)task->comm);
	return 0;
}

SEC("iter/task")
int task_records(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct task_record record = {};

	if (!task)
		return 0;
	record.pid = task->pid;
	record.tgid = task->tgid;
	core_copy(&record.comm, task, comm);
	bpf_seq_write(context->meta->seq, &record, sizeof(record));
	return 0;
}

SEC("iter/bpf_map_elem")
int elements(struct bpf_iter__bpf_map_elem *context)
{
	u32 *key = context->key;
	u64 *value = context->value;
	struct element element;

	if (!key || !value)
		return 0;
	__builtin_memset(&element, 0, sizeof(element));
	element.key = *key;
	element.value = *value;
	bpf_seq_write(context->meta->seq, &element, sizeof(element));
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

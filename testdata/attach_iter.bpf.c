/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Iterators: each writes a record of two u32 for each object. Linux 5.10; cgroup: 6.1. `nothing` may be loaded for any kind.
 */
#include "debpf_test.h"

static long (*bpf_seq_write)(void *seq, const void *data, u32 len) = (void *)127;

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} KERNEL;

struct task_struct {
	int pid;
	int tgid;
} KERNEL;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} KERNEL;

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
} KERNEL;

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *map;
	void *key;
	void *value;
} KERNEL;

struct kernfs_node {
	u64 id;
} KERNEL;

struct cgroup {
	struct kernfs_node *kn;
	int level;
} KERNEL;

struct bpf_iter__cgroup {
	struct bpf_iter_meta *meta;
	struct cgroup *cgroup;
} KERNEL;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u32);
} numbers SEC(".maps");

SEC("?iter/task")
int each_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	u32 record[2];

	/* At the end it is called once more, with nothing. */
	if (!task)
		return 0;
	record[0] = task->pid;
	record[1] = task->tgid;
	bpf_seq_write(ctx->meta->seq, record, sizeof(record));
	return 0;
}

SEC("?iter/task_file")
int each_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	u32 record[2];

	if (!task)
		return 0;
	record[0] = task->tgid;
	record[1] = ctx->fd;
	bpf_seq_write(ctx->meta->seq, record, sizeof(record));
	return 0;
}

SEC("?iter/bpf_map_elem")
int each_element(struct bpf_iter__bpf_map_elem *ctx)
{
	u32 *key = ctx->key;
	u32 *value = ctx->value;
	u32 record[2];

	if (!key || !value)
		return 0;
	record[0] = *key;
	record[1] = *value;
	bpf_seq_write(ctx->meta->seq, record, sizeof(record));
	return 0;
}

SEC("?iter/cgroup")
int each_cgroup(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;
	u32 record[2];

	if (!cgroup)
		return 0;
	record[0] = cgroup->kn->id;
	record[1] = cgroup->level;
	bpf_seq_write(ctx->meta->seq, record, sizeof(record));
	return 0;
}

SEC("?iter/task")
int nothing(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

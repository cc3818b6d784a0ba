/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * CO-RE relocations of fields against structs of real kernels (5.10 to 7.x): offset, size, existence, sign, shifts; of
 * nested, anonymous, array, bitfield and flavoured members. Every result goes to `results`, one slot per line, so that
 * one object against several kernels' BTF shows what each kernel has. Loads everywhere: what a kernel may lack is only
 * asked for with FIELD_EXISTS. Results are the kernel's; the oracle knows them.
 */
#include "debpf_test.h"

u64 results[64];

struct pair {
	u32 first;
	u32 second;
} KERNEL;

struct rlimit {
	unsigned long rlim_cur;
	unsigned long rlim_max;
} KERNEL;

struct signal_struct {
	struct rlimit rlim[16];
} KERNEL;

/* The real one's members sit in an anonymous struct; here they do not. */
struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
	int map_count;
} KERNEL;

/* Here they sit in one more anonymous level than the kernel's, and in another order. */
struct mm_struct___nested {
	union {
		struct {
			struct {
				int map_count;
				unsigned long env_end;
			};
			unsigned long env_start;
		};
		char other;
	};
} KERNEL;

/* A struct up to 6.1, an array of struct percpu_counter since 6.2: not compatible. */
struct mm_rss_stat {
	u64 count[4];
} KERNEL;

struct mm_struct___rss {
	struct mm_rss_stat rss_stat;
} KERNEL;

struct list_head {
	struct list_head *next, *prev;
} KERNEL;

struct sched_entity {
	u64 vruntime;
	struct list_head group_node;
} KERNEL;

struct task_struct {
	int prio;
	unsigned int flags;
	struct mm_struct *mm;
	int exit_code;
	unsigned int sched_reset_on_fork : 1;
	unsigned int in_execve : 1;
	unsigned long atomic_flags;
	int pid;
	u64 start_time;
	char comm[16];
	struct signal_struct *signal;
	struct sched_entity se;
	struct list_head tasks;
} KERNEL;

/* Same essential name; members with other sizes and signs than the kernel's. */
struct task_struct___other {
	unsigned char prio;
	unsigned long exit_code;
	u8 comm[4];
	int sched_reset_on_fork;
} KERNEL;

/* The flavour begins at the last `___`: this one is of a `struct task_struct___of`, which no kernel has. */
struct task_struct___of___two {
	int pid;
} KERNEL;

struct sk_buff {
	union {
		u64 tstamp;
		u64 skb_mstamp_ns;
	};
	char cb[48];
	unsigned int len;
	u8 pkt_type : 3;
	u8 ignore_df : 1;
	u8 ip_summed : 2;
	u16 network_header;
	unsigned char *head, *data;
} KERNEL;

struct path {
	void *mnt, *dentry;
} KERNEL;

struct file {
	struct path f_path;
	unsigned int f_flags;
	s64 f_pos;
} KERNEL;

struct inode {
	unsigned long i_ino;
} KERNEL;

struct net_device {
	char name[16];
	int ifindex;
	unsigned int mtu;
} KERNEL;

struct cpumask {
	unsigned long bits[1];
} KERNEL;

/* A flexible array inside a union: whether element 40 exists depends on where in the union the kernel has it. */
struct bpf_array {
	u32 elem_size;
	char value[0];
} KERNEL;

#define KEEP(slot, value) (results[slot] = (value))

SEC("raw_tp")
int offsets(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct sk_buff *skb = 0;
	struct file *file = 0;

	KEEP(0, core_field(task->prio, FIELD_BYTE_OFFSET));
	KEEP(1, core_field(task->comm, FIELD_BYTE_OFFSET));
	KEEP(2, core_field(task->comm[5], FIELD_BYTE_OFFSET));
	KEEP(3, core_field(task->se.vruntime, FIELD_BYTE_OFFSET));
	KEEP(4, core_field(task->se.group_node.prev, FIELD_BYTE_OFFSET));
	KEEP(5, core_field(((struct mm_struct *)0)->arg_end, FIELD_BYTE_OFFSET));
	KEEP(6, core_field(((struct mm_struct___nested *)0)->env_start, FIELD_BYTE_OFFSET));
	KEEP(7, core_field(((struct mm_struct___nested *)0)->env_end, FIELD_BYTE_OFFSET));
	KEEP(8, core_field(((struct signal_struct *)0)->rlim[3].rlim_max, FIELD_BYTE_OFFSET));
	KEEP(9, core_field(((struct signal_struct *)0)->rlim[3], FIELD_BYTE_OFFSET));
	KEEP(10, core_field(skb->skb_mstamp_ns, FIELD_BYTE_OFFSET));
	KEEP(11, core_field(skb->pkt_type, FIELD_BYTE_OFFSET));
	KEEP(12, core_field(skb->ip_summed, FIELD_BYTE_OFFSET));
	KEEP(13, core_field(skb->network_header, FIELD_BYTE_OFFSET));
	KEEP(14, core_field(file->f_path.dentry, FIELD_BYTE_OFFSET));
	KEEP(15, core_field(file->f_pos, FIELD_BYTE_OFFSET));
	KEEP(16, core_field(((struct net_device *)0)->mtu, FIELD_BYTE_OFFSET));
	KEEP(17, core_field(((struct inode *)0)->i_ino, FIELD_BYTE_OFFSET));
	/* The first index is pointer arithmetic: it counts in the kernel's struct size. */
	KEEP(18, core_field(((struct net_device *)0)[2].ifindex, FIELD_BYTE_OFFSET));
	KEEP(19, core_field(((struct task_struct___of___two *)0)->pid, FIELD_EXISTS)); /* 0 */
	KEEP(20, core_field(((struct bpf_array *)0)->value[40], FIELD_EXISTS));
	return 0;
}

SEC("raw_tp")
int sizes(void *ctx)
{
	struct task_struct *task = 0;
	struct task_struct___other *other = 0;
	struct sk_buff *skb = 0;

	KEEP(21, core_field(task->prio, FIELD_BYTE_SIZE));
	KEEP(22, core_field(other->prio, FIELD_BYTE_SIZE));
	KEEP(23, core_field(task->comm, FIELD_BYTE_SIZE));
	KEEP(24, core_field(other->comm, FIELD_BYTE_SIZE));
	KEEP(25, core_field(task->comm[3], FIELD_BYTE_SIZE));
	KEEP(26, core_field(task->se, FIELD_BYTE_SIZE));
	KEEP(27, core_field(task->mm, FIELD_BYTE_SIZE));
	KEEP(28, core_field(skb->pkt_type, FIELD_BYTE_SIZE));
	KEEP(29, core_field(skb->cb, FIELD_BYTE_SIZE));
	KEEP(30, core_field(((struct signal_struct *)0)->rlim, FIELD_BYTE_SIZE));
	return 0;
}

SEC("raw_tp")
int existence(void *ctx)
{
	struct task_struct *task = 0;

	KEEP(31, core_field(task->prio, FIELD_EXISTS));
	KEEP(32, core_field(task->in_execve, FIELD_EXISTS));
	KEEP(33, core_field(((struct mm_struct___rss *)0)->rss_stat, FIELD_EXISTS));
	KEEP(34, core_field(((struct mm_struct___rss *)0)->rss_stat.count, FIELD_EXISTS));
	KEEP(35, core_field(((struct mm_struct___nested *)0)->other, FIELD_EXISTS));
	KEEP(36, core_field(((struct pair *)0)->second, FIELD_EXISTS));
	KEEP(37, core_field(((struct file *)0)->f_path, FIELD_EXISTS));
	KEEP(38, core_field(((struct cpumask *)0)->bits[0], FIELD_EXISTS));
	KEEP(39, core_field(task->comm[15], FIELD_EXISTS));
	KEEP(40, core_field(((struct task_struct___other *)0)->sched_reset_on_fork, FIELD_EXISTS));
	return 0;
}

SEC("raw_tp")
int signs_and_shifts(void *ctx)
{
	struct task_struct *task = 0;
	struct task_struct___other *other = 0;
	struct sk_buff *skb = 0;

	KEEP(41, core_field(task->prio, FIELD_SIGNED));
	KEEP(42, core_field(task->flags, FIELD_SIGNED));
	KEEP(43, core_field(other->prio, FIELD_SIGNED));
	KEEP(44, core_field(task->in_execve, FIELD_SIGNED));
	KEEP(45, core_field(((struct file *)0)->f_pos, FIELD_SIGNED));
	KEEP(46, core_field(task->prio, FIELD_LSHIFT_U64));
	KEEP(47, core_field(task->prio, FIELD_RSHIFT_U64));
	KEEP(48, core_field(task->in_execve, FIELD_LSHIFT_U64));
	KEEP(49, core_field(task->in_execve, FIELD_RSHIFT_U64));
	KEEP(50, core_field(skb->pkt_type, FIELD_LSHIFT_U64));
	KEEP(51, core_field(skb->pkt_type, FIELD_RSHIFT_U64));
	KEEP(52, core_field(skb->ip_summed, FIELD_LSHIFT_U64));
	KEEP(53, core_field(skb->network_header, FIELD_RSHIFT_U64));
	KEEP(54, core_field(task->start_time, FIELD_LSHIFT_U64));
	KEEP(55, core_field(task->start_time, FIELD_RSHIFT_U64));
	return 0;
}

/* Chains of reads, as programs have them. */
SEC("raw_tp")
int reads(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = core_read(task, mm);
	struct signal_struct *signal = core_read(task, signal);

	KEEP(56, core_read(task, start_time));
	KEEP(57, core_read(mm, arg_start));
	KEEP(58, core_read(signal, rlim[7].rlim_cur));
	KEEP(59, core_read(task, comm[0]));
	KEEP(60, core_read(task, se.vruntime));
	KEEP(61, core_read((struct mm_struct___nested *)mm, map_count));
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

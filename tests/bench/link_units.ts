/**
 * Objects to be linked, as large as real ones: each has two programs that read thirty fields of kernel structs, with BTF and
 * DWARF of all that those refer to; a map, a global and a static variable, a weak function that all have, and an extern
 * function of the neighbour's.
 *
 * @module
 */
import { join } from "@std/path";
import type { StructType } from "../../lib/btf/mod.ts";
import { formatC } from "../../lib/btf/dump/mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { hostBtf } from "../../ffi/btf/mod.ts";
import { clangPath, run } from "../support/mod.ts";

const STRUCTS = ("task_struct mm_struct file inode dentry super_block sock sk_buff net_device cred signal_struct " +
  "vm_area_struct page address_space bio request request_queue gendisk block_device nsproxy pid pid_namespace net " +
  "user_namespace cgroup css_set rq cfs_rq sched_entity perf_event module path vfsmount files_struct fdtable fs_struct " +
  "kernfs_node kobject device device_driver bus_type class inet_sock tcp_sock udp_sock neighbour dst_entry rtable socket " +
  "kmem_cache zone work_struct workqueue_struct hrtimer timer_list irq_desc bpf_map bpf_prog bpf_link linux_binprm " +
  "tty_struct seq_file").split(" ");

const READS = 30;

/** `struct X.field` in turns over the structs, so that each program touches many. */
function fields(): { struct: string; field: string }[] {
  const byStruct = STRUCTS.flatMap((struct) => {
    const type = hostBtf().find(struct, BtfKind.Struct) as StructType | undefined;
    const named = type?.members.filter(({ name, bitfieldBits }) => name !== "" && bitfieldBits === 0) ?? [];
    return [named.map(({ name }) => ({ struct, field: name }))];
  });
  const longest = Math.max(...byStruct.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => byStruct.flatMap((all) => all[i] ?? [])).flat();
}

function unit(index: number, all: readonly { struct: string; field: string }[]): string {
  const program = (number: number) => `
SEC("raw_tp/sys_enter") int unit${index}_${number}(u64 *args)
{
  u64 sum = 0, value, *found;
  void *source = (void *)args[0];
  u32 key = ${number};
${
    Array.from({ length: READS }, (_, i) => {
      const { struct, field } = all[((index * 2 + number) * READS + i) % all.length]!;
      return `  bpf_probe_read_kernel(&value, 8, __builtin_preserve_access_index(&((struct ${struct} *)source)->${field}));
  sum += value;
  asm volatile("" : "+r"(source), "+r"(sum));`;
    }).join("\n")
  }
  found = bpf_map_lookup_elem(&map${index}, &key);
  if (found) *found += sum;
  total${index} += other${index ^ 1}(common(sum)) + seen++;
  return 0;
}`;
  return `#include "vmlinux.h"
#define SEC(name) __attribute__((section(name), used))
static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_probe_read_kernel)(void *dst, u32 size, const void *src) = (void *)113;
u64 total${index};
const volatile int factor${index} = ${index};
static int seen = ${index};
struct { int (*type)[1]; int (*max_entries)[64]; u32 *key; u64 *value; } map${index} SEC(".maps");
__attribute__((weak)) int common(int a) { return a + 1; }
int other${index}(int a) { return a + factor${index}; }
extern int other${index ^ 1}(int a);
${program(0)}
${program(1)}
char LICENSE[] SEC("license") = "GPL";
`;
}

/** Compiles so many objects (an even number) into a folder; clang takes about a second for each. */
export async function compileUnits(count: number, folder: string): Promise<string[]> {
  const all = fields();
  await Deno.writeTextFile(join(folder, "vmlinux.h"), formatC(hostBtf()));
  const objects: string[] = [];
  for (let index = 0; index < count; index++) {
    const source = join(folder, `unit${index}.bpf.c`);
    const object = join(folder, `unit${index}.bpf.o`);
    await Deno.writeTextFile(source, unit(index, all));
    const { code, stderr } = await run(clangPath("19")!, [
      "-target",
      "bpf",
      "-g",
      "-O2",
      "-w",
      "-c",
      source,
      "-o",
      object,
    ]);
    if (code !== 0) throw new Error(stderr);
    objects.push(object);
  }
  return objects;
}

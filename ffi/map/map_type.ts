/**
 * How maps of each type are worked with: what the kernel's `struct bpf_map_ops` of the type provides (kernel/bpf, net/core,
 * net/xdp of Linux 6.18).
 *
 * @module
 */
import { BpfMapType, enumName } from "../../lib/uapi/mod.ts";

/**
 * What a map is a collection of:
 *
 * - `hash`: elements that come and go, read a bucket at a time;
 * - `array`: elements that are always there; `slots`: an array of references, each there or not;
 * - `tree`: elements that come and go, read from key to key;
 * - `queue`: values without keys, taken in an order; `filter`: values without keys that can only be asked for;
 * - `storage`: elements that belong to kernel objects, found by a file descriptor of such an object;
 * - `memory`: no elements at all.
 */
export type MapKind = "hash" | "array" | "slots" | "tree" | "queue" | "filter" | "storage" | "memory";

const KINDS: Partial<Record<BpfMapType, MapKind>> = {
  [BpfMapType.BPF_MAP_TYPE_HASH]: "hash",
  [BpfMapType.BPF_MAP_TYPE_PERCPU_HASH]: "hash",
  [BpfMapType.BPF_MAP_TYPE_LRU_HASH]: "hash",
  [BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH]: "hash",
  [BpfMapType.BPF_MAP_TYPE_HASH_OF_MAPS]: "hash",
  [BpfMapType.BPF_MAP_TYPE_ARRAY]: "array",
  [BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY]: "array",
  [BpfMapType.BPF_MAP_TYPE_STRUCT_OPS]: "array",
  [BpfMapType.BPF_MAP_TYPE_INSN_ARRAY]: "array",
  [BpfMapType.BPF_MAP_TYPE_ARRAY_OF_MAPS]: "slots",
  [BpfMapType.BPF_MAP_TYPE_PROG_ARRAY]: "slots",
  [BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY]: "slots",
  [BpfMapType.BPF_MAP_TYPE_CGROUP_ARRAY]: "slots",
  [BpfMapType.BPF_MAP_TYPE_DEVMAP]: "slots",
  [BpfMapType.BPF_MAP_TYPE_CPUMAP]: "slots",
  [BpfMapType.BPF_MAP_TYPE_XSKMAP]: "slots",
  [BpfMapType.BPF_MAP_TYPE_SOCKMAP]: "slots",
  [BpfMapType.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY]: "slots",
  [BpfMapType.BPF_MAP_TYPE_LPM_TRIE]: "tree",
  [BpfMapType.BPF_MAP_TYPE_STACK_TRACE]: "tree",
  [BpfMapType.BPF_MAP_TYPE_DEVMAP_HASH]: "tree",
  [BpfMapType.BPF_MAP_TYPE_SOCKHASH]: "tree",
  [BpfMapType.BPF_MAP_TYPE_RHASH]: "tree",
  [BpfMapType.BPF_MAP_TYPE_CGROUP_STORAGE]: "tree",
  [BpfMapType.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE]: "tree",
  [BpfMapType.BPF_MAP_TYPE_QUEUE]: "queue",
  [BpfMapType.BPF_MAP_TYPE_STACK]: "queue",
  [BpfMapType.BPF_MAP_TYPE_BLOOM_FILTER]: "filter",
  [BpfMapType.BPF_MAP_TYPE_SK_STORAGE]: "storage",
  [BpfMapType.BPF_MAP_TYPE_INODE_STORAGE]: "storage",
  [BpfMapType.BPF_MAP_TYPE_TASK_STORAGE]: "storage",
  [BpfMapType.BPF_MAP_TYPE_CGRP_STORAGE]: "storage",
  [BpfMapType.BPF_MAP_TYPE_RINGBUF]: "memory",
  [BpfMapType.BPF_MAP_TYPE_USER_RINGBUF]: "memory",
  [BpfMapType.BPF_MAP_TYPE_ARENA]: "memory",
};

/** What maps of `type` are; a type that is newer than this library is taken for a `tree`, which asks the least of it. */
export function mapKind(type: BpfMapType): MapKind {
  return KINDS[type] ?? "tree";
}

/** Per-CPU maps: their values are one per possible CPU, in strides of 8 bytes. */
const PER_CPU: ReadonlySet<BpfMapType> = new Set<BpfMapType>([
  BpfMapType.BPF_MAP_TYPE_PERCPU_HASH,
  BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY,
  BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BpfMapType.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
]);

/** Does each element have a value for each CPU. */
export function isPerCpu(type: BpfMapType): boolean {
  return PER_CPU.has(type);
}

/** Maps whose values go in as file descriptors and come out, where they do, as something else. */
const REFERENCES: ReadonlySet<BpfMapType> = new Set<BpfMapType>([
  BpfMapType.BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BpfMapType.BPF_MAP_TYPE_HASH_OF_MAPS,
  BpfMapType.BPF_MAP_TYPE_PROG_ARRAY,
  BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BpfMapType.BPF_MAP_TYPE_CGROUP_ARRAY,
  BpfMapType.BPF_MAP_TYPE_XSKMAP,
  BpfMapType.BPF_MAP_TYPE_SOCKMAP,
  BpfMapType.BPF_MAP_TYPE_SOCKHASH,
  BpfMapType.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY,
]);

/** Are the values references to maps, programs, perf events, cgroups or sockets. */
export function holdsReferences(type: BpfMapType): boolean {
  return REFERENCES.has(type);
}

/** The kernel's name of a type, or its number. */
export function mapTypeName(type: BpfMapType): string {
  return enumName(BpfMapType, type) ?? `map type ${type}`;
}

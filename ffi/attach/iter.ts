/**
 * Iterators (`SEC("iter/task")`, 5.8): programs that run for each of the kernel's objects when a file is read.
 *
 * Source: `union bpf_iter_link_info` (linux/bpf.h), kernel/bpf/{bpf_iter,task_iter,cgroup_iter,map_iter}.c.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { Link } from "./link.ts";

/** In which order an iterator walks cgroups, and which (`enum bpf_cgroup_iter_order`, 6.0). */
export type CgroupIterOrder = "self" | "descendants_pre" | "descendants_post" | "ancestors_up" | "children";

const ORDERS: Readonly<Record<CgroupIterOrder, number>> = {
  self: 1,
  descendants_pre: 2,
  descendants_post: 3,
  ancestors_up: 4,
  children: 5,
};

/** What {@linkcode attachIter} takes; at most one of the three is given. */
export interface AttachIterOptions {
  /** The map whose elements are walked: `bpf_map_elem` (5.9), `bpf_sk_storage_map`, `sockmap`. */
  readonly map?: BpfMap | undefined;
  /** Where a walk of cgroups begins: folder or id (the root of cgroup2 by default), and its order (6.0). */
  readonly cgroup?: {
    /** Its folder, or an open file descriptor of it. */
    readonly at?: string | number | undefined;
    /** Its id, instead of a folder. */
    readonly id?: bigint | undefined;
    /** The order. */
    readonly order: CgroupIterOrder;
  } | undefined;
  /** Only the threads of a process, or one thread: `task`, `task_file`, `task_vma` (6.1). */
  readonly task?: {
    /** One thread. */
    readonly tid?: number | undefined;
    /** All threads of a process. */
    readonly pid?: number | undefined;
    /** The same, by a file descriptor of pidfd_open(2). */
    readonly pidFd?: number | undefined;
  } | undefined;
}

/** `union bpf_iter_link_info`: 16 bytes; kernels before 6.0 know the first four only. */
const INFO = { mapFd: 0, order: 0, cgroupFd: 4, cgroupId: 8, tid: 0, pid: 4, pidFd: 8 } as const;
const MAP_BYTES = 4;
const CGROUP_BYTES = 16;
const TASK_BYTES = 12;

/**
 * Makes the link of an iterator. Each file that `iterCreate(link.fd)` opens then walks once.
 *
 * @param program The program.
 * @param options What to walk, for iterators that have to be told or can be.
 * @throws {Error} if this iterator has to be told.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function attachIter(program: BpfProgram, options: AttachIterOptions = {}): Link {
  const place = `program "${program.name}"`;
  if ([options.map, options.cgroup, options.task].filter((given) => given !== undefined).length > 1) {
    throw new TypeError(`${place}: an iterator walks a map, or cgroups, or tasks`);
  }
  using cleanup = new DisposableStack();
  const iterInfo = infoOf(place, options, cleanup);
  try {
    const fd = sys.linkCreate({
      progFd: program.fd,
      attachType: BpfAttachType.BPF_TRACE_ITER,
      ...(iterInfo === undefined ? {} : { iter: { iterInfo } }),
    });
    return new Link({ kind: "iter", target: targetOf(options), program: program.name, fds: [fd], links: [fd] });
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    if (error.code === "EBADF" && options.map === undefined) {
      const text = "this iterator walks the elements of a map: say which: attachIter(program, { map })";
      throw new Error(`${place}: ${text}`, { cause: error });
    }
    throw error.at(place);
  }
}

function infoOf(place: string, options: AttachIterOptions, cleanup: DisposableStack): Uint8Array | undefined {
  const { map, cgroup, task } = options;
  const info = new DataView(new ArrayBuffer(CGROUP_BYTES));
  const little = HOST_BYTE_ORDER === "little";
  const bytes = (count: number) => new Uint8Array(info.buffer, 0, count);
  if (map !== undefined) {
    info.setUint32(INFO.mapFd, map.fd, little);
    return bytes(MAP_BYTES);
  }
  if (cgroup !== undefined) {
    const { at, id, order } = cgroup;
    if (at !== undefined && id !== undefined) {
      throw new TypeError(`${place}: give the cgroup's folder or its id, not both`);
    }
    info.setUint32(INFO.order, ORDERS[order], little);
    if (at !== undefined) {
      info.setUint32(INFO.cgroupFd, typeof at === "number" ? at : cleanup.use(sys.open(at)).value, little);
    }
    info.setBigUint64(INFO.cgroupId, id ?? 0n, little);
    return bytes(CGROUP_BYTES);
  }
  if (task !== undefined) {
    info.setUint32(INFO.tid, task.tid ?? 0, little);
    info.setUint32(INFO.pid, task.pid ?? 0, little);
    info.setUint32(INFO.pidFd, task.pidFd ?? 0, little);
    return bytes(TASK_BYTES);
  }
  return undefined;
}

function targetOf({ map, cgroup, task }: AttachIterOptions): string {
  if (map !== undefined) return `map ${map.name}`;
  if (cgroup !== undefined) return `cgroup ${cgroup.at ?? cgroup.id ?? "root"} ${cgroup.order}`;
  if (task === undefined) return "";
  if (task.tid !== undefined) return `thread ${task.tid}`;
  return task.pid !== undefined ? `process ${task.pid}` : `process of fd ${task.pidFd}`;
}

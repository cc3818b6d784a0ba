/**
 * Commands of bpf(2) that all kinds of objects share: pins, ids, statistics.
 *
 * @module
 */
import { BpfCmd } from "../../lib/uapi/mod.ts";
import { attr, bpf, bpfOrThrow, ENABLE_STATS, ID, OBJ, TASK_FD_QUERY, TOKEN_CREATE } from "./attr.ts";
import { Errno } from "./errno.ts";
import { bpfError } from "./fail.ts";
import { Fd } from "./fd.ts";
import { readLink } from "./files.ts";
import { textOf } from "./wire.ts";

/**
 * Makes a BPF token (`BPF_TOKEN_CREATE`, 6.9): a process in a user namespace uses the rights with it that the BPF file system
 * was mounted with (`delegate_cmds` and others).
 *
 * @param bpffsFd The root of that file system.
 * @throws {SyscallError} if the kernel refuses it: code `EOPNOTSUPP` outside of user namespaces, `EPERM` without CAP_BPF in it,
 * `ENOENT` if the file system delegates nothing.
 */
export function tokenCreate(bpffsFd: number): Fd {
  return new Fd(bpfOrThrow(BpfCmd.BPF_TOKEN_CREATE, TOKEN_CREATE, { bpffsFd }));
}

/**
 * Gives an object a name in a BPF file system, which keeps it alive (`BPF_OBJ_PIN`).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function objPin(fd: number, path: string): void {
  bpfOrThrow(BpfCmd.BPF_OBJ_PIN, OBJ, { bpfFd: fd, pathname: path }, path);
}

/**
 * Opens a pinned object (`BPF_OBJ_GET`).
 *
 * @param path Its name in a BPF file system.
 * @param fileFlags `BPF_F_RDONLY` or `BPF_F_WRONLY`, for maps.
 * @throws {SyscallError} if the kernel refuses it: code `ENOENT` if there is none.
 */
export function objGet(path: string, fileFlags = 0): Fd {
  return new Fd(bpfOrThrow(BpfCmd.BPF_OBJ_GET, OBJ, { pathname: path, fileFlags }, path));
}

/**
 * The lowest id of a program above `startId` (`BPF_PROG_GET_NEXT_ID`, 4.13), or `undefined`.
 *
 * @throws {SyscallError} if the kernel refuses it: it wants CAP_SYS_ADMIN.
 */
export function progGetNextId(startId: number): number | undefined {
  return nextId(BpfCmd.BPF_PROG_GET_NEXT_ID, startId);
}

/**
 * The lowest id of a map above `startId` (`BPF_MAP_GET_NEXT_ID`, 4.13), or `undefined`.
 *
 * @throws {SyscallError} if the kernel refuses it: it wants CAP_SYS_ADMIN.
 */
export function mapGetNextId(startId: number): number | undefined {
  return nextId(BpfCmd.BPF_MAP_GET_NEXT_ID, startId);
}

/**
 * The lowest id of loaded BTF above `startId` (`BPF_BTF_GET_NEXT_ID`, 5.4), or `undefined`.
 *
 * @throws {SyscallError} if the kernel refuses it: it wants CAP_SYS_ADMIN.
 */
export function btfGetNextId(startId: number): number | undefined {
  return nextId(BpfCmd.BPF_BTF_GET_NEXT_ID, startId);
}

/**
 * The lowest id of a link above `startId` (`BPF_LINK_GET_NEXT_ID`, 5.8), or `undefined`.
 *
 * @throws {SyscallError} if the kernel refuses it: it wants CAP_SYS_ADMIN.
 */
export function linkGetNextId(startId: number): number | undefined {
  return nextId(BpfCmd.BPF_LINK_GET_NEXT_ID, startId);
}

/**
 * Opens a program by its id (`BPF_PROG_GET_FD_BY_ID`, 4.13).
 *
 * @throws {SyscallError} if the kernel refuses it: code `ENOENT` if it is gone.
 */
export function progGetFdById(id: number): Fd {
  return fdById(BpfCmd.BPF_PROG_GET_FD_BY_ID, id, 0);
}

/**
 * Opens a map by its id (`BPF_MAP_GET_FD_BY_ID`, 4.13).
 *
 * @param id The id.
 * @param openFlags `BPF_F_RDONLY` or `BPF_F_WRONLY`.
 * @throws {SyscallError} if the kernel refuses it: code `ENOENT` if it is gone.
 */
export function mapGetFdById(id: number, openFlags = 0): Fd {
  return fdById(BpfCmd.BPF_MAP_GET_FD_BY_ID, id, openFlags);
}

/**
 * Opens loaded BTF by its id (`BPF_BTF_GET_FD_BY_ID`, 4.18).
 *
 * @throws {SyscallError} if the kernel refuses it: code `ENOENT` if it is gone.
 */
export function btfGetFdById(id: number): Fd {
  return fdById(BpfCmd.BPF_BTF_GET_FD_BY_ID, id, 0);
}

/**
 * Opens a link by its id (`BPF_LINK_GET_FD_BY_ID`, 5.8).
 *
 * @throws {SyscallError} if the kernel refuses it: code `ENOENT` if it is gone.
 */
export function linkGetFdById(id: number): Fd {
  return fdById(BpfCmd.BPF_LINK_GET_FD_BY_ID, id, 0);
}

/**
 * Turns statistics on for as long as the result is open (`BPF_ENABLE_STATS`, 5.8).
 *
 * @param type `BPF_STATS_RUN_TIME`.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function enableStats(type: number): Fd {
  return new Fd(bpfOrThrow(BpfCmd.BPF_ENABLE_STATS, ENABLE_STATS, { type }));
}

/** Kinds of objects that have file descriptors. */
export type ObjectKind = "map" | "program" | "link" | "btf";

/** How /proc names what a file descriptor is (kernel/bpf/syscall.c, btf.c). */
const KINDS: Readonly<Record<string, ObjectKind>> = {
  "anon_inode:bpf-map": "map",
  "anon_inode:bpf-prog": "program",
  "anon_inode:bpf_link": "link",
  "anon_inode:bpf-link": "link",
  "anon_inode:btf": "btf",
};

/**
 * What a file descriptor is; `undefined` if it is something else. The kernel's info of an object does not say: read as another
 * object's, it is nonsense.
 *
 * @param fd The file descriptor.
 * @param pid The process that has it.
 * @throws {SyscallError} if it is closed, or /proc is not mounted.
 */
export function objectKind(fd: number, pid: number | "self" = "self"): ObjectKind | undefined {
  return KINDS[readLink(`/proc/${pid}/fd/${fd}`)];
}

/**
 * Refuses what is of another kind.
 *
 * @param fd The file descriptor.
 * @param wanted What it has to be.
 * @throws {TypeError} if it is something else.
 */
export function checkObjectKind(fd: number, wanted: ObjectKind): void {
  const kind = objectKind(fd);
  if (kind !== wanted) {
    throw new TypeError(
      `file descriptor ${fd} is ${kind === undefined ? "something else" : `a ${kind}`}, not a ${wanted}`,
    );
  }
}

/** What a perf event or raw tracepoint of a process runs. */
export interface TaskFdQueryResult {
  /** Id of the program. */
  readonly progId: number;
  /** `BPF_FD_TYPE_*`. */
  readonly fdType: number;
  /** Name of the tracepoint, the function or the file; empty if the kernel knows only an address. */
  readonly name: string;
  /** Offset in bytes from the function or in the file. */
  readonly probeOffset: bigint;
  /** Address of a kprobe without a name; 0 where the kernel does not show it. */
  readonly probeAddr: bigint;
}

/**
 * What is attached to a file descriptor of a process (`BPF_TASK_FD_QUERY`, 4.18).
 *
 * @throws {SyscallError} if the kernel refuses it: code `ENOTSUPP` for a file descriptor of another kind.
 */
export function taskFdQuery(pid: number, fd: number): TaskFdQueryResult {
  const buf = new Uint8Array(4096);
  const request = { pid, fd, buf, bufLen: buf.length };
  bpfOrThrow(BpfCmd.BPF_TASK_FD_QUERY, TASK_FD_QUERY, request, `fd ${fd} of process ${pid}`);
  const { progId, fdType, probeOffset, probeAddr } = attr().read(TASK_FD_QUERY);
  return { progId, fdType, name: textOf(buf), probeOffset, probeAddr };
}

function nextId(cmd: BpfCmd, startId: number): number | undefined {
  const result = bpf(cmd, ID, { startId });
  if (result === -Errno.ENOENT) return undefined;
  if (result < 0) throw bpfError(cmd, result);
  return attr().get(ID, "nextId");
}

function fdById(cmd: BpfCmd, id: number, openFlags: number): Fd {
  return new Fd(bpfOrThrow(cmd, ID, { startId: id, openFlags }, `id ${id}`));
}

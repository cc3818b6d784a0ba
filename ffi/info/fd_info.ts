/**
 * What /proc says of file descriptors of BPF objects (`bpf_map_show_fdinfo` and its like in kernel/bpf/syscall.c).
 *
 * @module
 */
import * as sys from "../sys/mod.ts";

/**
 * The lines of /proc/PID/fdinfo/FD: names and values.
 *
 * @throws {sys.SyscallError} if the process or its file descriptor is gone, or is none of this user's business.
 */
export function fdInfo(fd: number, pid: number | "self" = "self"): Map<string, string> {
  const lines = sys.readTextFile(`/proc/${pid}/fdinfo/${fd}`).split("\n");
  const pairs = lines.map((line) => line.split(/:\s*/, 2)).filter((pair): pair is [string, string] =>
    pair.length === 2
  );
  return new Map(pairs);
}

/** A value of {@linkcode fdInfo} as a number; 0 where this kernel does not say. */
export function numberOf(info: ReadonlyMap<string, string>, name: string): number {
  return Number(info.get(name) ?? 0);
}

/**
 * Which processes hold programs, maps, links and BTF open.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";
import { fdInfo, numberOf } from "./fd_info.ts";

/** A file descriptor of a process. */
export interface Holder {
  /** The process. */
  readonly pid: number;
  /** Its name. */
  readonly comm: string;
  /** Its file descriptor. */
  readonly fd: number;
}

/** Holders by id, for each kind of object. */
export type Holders = Readonly<Record<sys.ObjectKind, ReadonlyMap<number, readonly Holder[]>>>;

/** Name of the line of fdinfo that has the id. */
const ID_LINES: Readonly<Record<sys.ObjectKind, string>> = {
  map: "map_id",
  program: "prog_id",
  link: "link_id",
  btf: "btf_id",
};

/** Processes come and go, and those of others may not be looked into. */
const LEFT_OUT: ReadonlySet<string> = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM"]);

/**
 * Looks through the file descriptors of all processes that this user may look into. What only a pin, a link or a program
 * holds has no holder here.
 *
 * @throws {sys.SyscallError} if /proc is not mounted.
 */
export function findHolders(): Holders {
  const holders = {
    map: new Map<number, Holder[]>(),
    program: new Map<number, Holder[]>(),
    link: new Map<number, Holder[]>(),
    btf: new Map<number, Holder[]>(),
  };
  for (const { name } of sys.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    tolerant(() => {
      let comm: string | undefined;
      for (const { name: fd } of sys.readDir(`/proc/${name}/fd`)) {
        tolerant(() => {
          const kind = sys.objectKind(Number(fd), Number(name));
          if (kind === undefined) return;
          const id = numberOf(fdInfo(Number(fd), Number(name)), ID_LINES[kind]);
          comm ??= sys.readTextFile(`/proc/${name}/comm`).trimEnd();
          const of = holders[kind].get(id) ?? [];
          holders[kind].set(id, of);
          of.push({ pid: Number(name), comm, fd: Number(fd) });
        });
      }
    });
  }
  return holders;
}

function tolerant(look: () => void): void {
  try {
    look();
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || !LEFT_OUT.has(error.code)) throw error;
  }
}

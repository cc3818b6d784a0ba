/**
 * Where things can be pinned: checked before the kernel is asked, which answers EPERM or EINVAL to most of what is wrong.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";

/** `BPF_FS_MAGIC` (linux/magic.h). */
const BPF_FS_MAGIC = 0xcafe4a11;

/** Where BPF file systems usually are. */
export const BPF_FS = "/sys/fs/bpf";

/** Is `path` there, and in a BPF file system. */
export function isBpfFs(path: string): boolean {
  try {
    return sys.fileSystemType(path) === BPF_FS_MAGIC;
  } catch (error) {
    if (error instanceof sys.SyscallError) return false;
    throw error;
  }
}

/**
 * The directory of `path`, after everything about it was found to be as the kernel wants it.
 *
 * @param path Where something shall be pinned.
 * @param makeDirs Make the directories that are missing.
 * @throws {Error} saying what is wrong and what to do.
 */
export function checkPinPath(path: string, makeDirs = false): string {
  const fail = (problem: string) => new Error(`cannot pin at "${path}": ${problem}`);
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const parent = slash < 0 ? "." : path.slice(0, slash) || "/";
  if (name === "" || name === "." || name === "..") throw fail("the path has to end with a name");
  // kernel/bpf/inode.c, bpf_lookup: reserved, and answered with EPERM.
  if (name.includes(".")) throw fail("names in a BPF file system cannot have dots");
  if (!sys.exists(parent)) {
    if (!makeDirs) throw fail(`the directory "${parent}" does not exist`);
    makeDirectory(parent, fail);
  }
  const type = sys.fileSystemType(parent);
  if (type !== BPF_FS_MAGIC) {
    throw fail(`"${parent}" is in no BPF file system; pin below ${BPF_FS} (mount -t bpf bpf ${BPF_FS})`);
  }
  if (!sys.isWritable(parent)) throw fail(`this user may not write to "${parent}"`);
  return parent;
}

function makeDirectory(path: string, fail: (problem: string) => Error): void {
  const missing: string[] = [];
  let there = path;
  while (!sys.exists(there)) {
    missing.push(there);
    there = there.slice(0, Math.max(there.lastIndexOf("/"), 0)) || (path.startsWith("/") ? "/" : ".");
  }
  if (!isBpfFs(there)) {
    throw fail(`"${there}" is in no BPF file system; pin below ${BPF_FS} (mount -t bpf bpf ${BPF_FS})`);
  }
  if (!sys.isWritable(there)) throw fail(`this user may not write to "${there}"`);
  for (const directory of missing.reverse()) sys.mkdir(directory, 0o700);
}

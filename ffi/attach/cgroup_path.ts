/**
 * Where cgroups are: the one hierarchy of version 2, wherever it is mounted.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";

/** `CGROUP2_SUPER_MAGIC` (linux/magic.h). */
const CGROUP2_SUPER_MAGIC = 0x63677270;

/**
 * Where cgroup version 2 is mounted: `/sys/fs/cgroup`, or beside version 1 `/sys/fs/cgroup/unified`.
 *
 * @throws {Error} if it is mounted nowhere.
 */
export function cgroup2Mount(): string {
  const mounts = cgroup2Mounts(sys.readTextFile("/proc/self/mountinfo"));
  // The whole hierarchy is better than a part of it that is mounted for a container.
  const mount = mounts.find(({ root }) => root === "/") ?? mounts[0];
  if (mount === undefined) {
    throw new Error("cgroup version 2 is not mounted: mount -t cgroup2 none /sys/fs/cgroup/unified");
  }
  return mount.path;
}

/** A mount of cgroup version 2. */
interface Cgroup2Mount {
  /** The cgroup that is mounted. */
  readonly root: string;
  /** Where. */
  readonly path: string;
}

/** Lines of mountinfo: proc(5). Fields 4 and 5 are root and place; the type is the first after a lone hyphen. */
export function cgroup2Mounts(mountinfo: string): Cgroup2Mount[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [fields = "", rest = ""] = line.split(" - ");
    const [, , , root, path] = fields.split(" ");
    if (root === undefined || path === undefined || !rest.startsWith("cgroup2 ")) return [];
    return [{ root: unescaped(root), path: unescaped(path) }];
  });
}

/**
 * The whole path of a cgroup, and that it is one.
 *
 * @param path An absolute path, or one below the root of cgroup version 2: `system.slice/ssh.service`, `""` for the root.
 * @throws {Error} if there is no such cgroup.
 */
export function cgroupPath(path: string): string {
  const whole = path.startsWith("/") ? path : `${cgroup2Mount()}${path === "" ? "" : `/${path}`}`;
  if (!sys.exists(whole)) throw new Error(`there is no cgroup "${whole}"`);
  if (sys.fileSystemType(whole) !== CGROUP2_SUPER_MAGIC) {
    throw new Error(`"${whole}" is no cgroup of version 2, which is mounted at "${cgroup2Mount()}"`);
  }
  return whole;
}

/** Blanks, tabs, newlines and backslashes are written as `\040`. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/**
 * Paths of programs and libraries: looked up as a shell and the dynamic linker do, in this mount namespace or another.
 *
 * @module
 */
import { nearestNames } from "../../lib/core/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import * as sys from "../sys/mod.ts";
import { UserFunctionError } from "./user_function_error.ts";

/** Where libraries of this machine are beside /usr/lib64 and /usr/lib, as Debian has it. */
const ARCH_LIBRARIES: Partial<Record<string, string>> = {
  x86_64: "/lib/x86_64-linux-gnu",
  aarch64: "/lib/aarch64-linux-gnu",
};
/** As many symbolic links as the kernel follows in one path. */
const MAX_LINKS = 40;

/** A program or library: its path as the kernel is to be given it. */
export interface UserPath {
  /** The path; in another mount namespace it begins with {@linkcode UserPath.root}. */
  readonly path: string;
  /** What `path` begins with: empty, or `/proc/PID/root`. */
  readonly root: string;
}

/**
 * Finds a program or library.
 *
 * @param name A path; or without `/` a program of `PATH`, or a library (`libc.so.6`: it has `.so`) of `LD_LIBRARY_PATH` and
 * the usual folders: the same folders in the same order as libbpf.
 * @param rootOf A process whose mount namespace the path is in.
 * @param place What messages begin with.
 * @throws {UserFunctionError} if there is none.
 */
export function findUserPath(name: string, rootOf: number | undefined, place: string): UserPath {
  if (name.includes("!/")) {
    throw new UnsupportedError(
      "libraries in archives",
      `${place}: "${name}" is in an archive: unpack the library first`,
    );
  }
  const root = rootOf === undefined ? "" : `/proc/${rootOf}/root`;
  if (root !== "" && !sys.exists(root)) {
    throw new UserFunctionError(`${place}: there is no process ${rootOf}, or its mount namespace may not be seen`, {
      path: name,
      problem: "no-file",
    });
  }
  if (!name.includes("/")) return { path: search(name, root, place), root };
  // Symbolic links of another mount namespace have to be followed there: the kernel would begin at this one's root.
  const path = root === "" ? name : root + realPath(name, root);
  if (!sys.exists(path)) throw noFile(path, place);
  return { path, root: root === "" ? rootIn(path) : root };
}

/** `/proc/PID/root` that a path begins with; empty if it does not. */
function rootIn(path: string): string {
  return /^\/proc\/\d+\/root(?=\/)/.exec(path)?.[0] ?? "";
}

function search(name: string, root: string, place: string): string {
  const library = name.endsWith(".so") || name.includes(".so.");
  const lists = library
    ? [sys.environment("LD_LIBRARY_PATH"), "/usr/lib64:/usr/lib", ARCH_LIBRARIES[Deno.build.arch]]
    : [sys.environment("PATH"), "/usr/bin:/usr/sbin"];
  const folders = lists.flatMap((list) => list?.split(":") ?? []).filter((folder) => folder !== "");
  for (const folder of folders) {
    const path = root === "" ? `${folder}/${name}` : root + realPath(`${folder}/${name}`, root);
    if (sys.isReadable(path, !library)) return path;
  }
  const searched = [...new Set(folders)].join(", ");
  throw new UserFunctionError(
    `${place}: there is no ${library ? "library" : "program"} "${name}" in ${searched}: give its path`,
    { path: name, problem: "no-file" },
  );
}

function noFile(path: string, place: string): UserFunctionError {
  const slash = path.lastIndexOf("/");
  const candidates = nearestNames(path.slice(slash + 1), namesIn(path.slice(0, slash) || "/"));
  const hint = candidates.length === 0 ? "" : `: there is ${candidates.join(", ")}`;
  return new UserFunctionError(`${place}: there is no file "${path}"${hint}`, { path, problem: "no-file", candidates });
}

function namesIn(folder: string): string[] {
  try {
    return sys.readDir(folder).map(({ name }) => name);
  } catch (error) {
    if (error instanceof sys.SyscallError) return [];
    throw error;
  }
}

/**
 * A path without symbolic links, as seen below `root`, which is not part of it. What is not there is left as it is.
 *
 * @param root Empty, or a folder that absolute links begin at.
 */
export function realPath(path: string, root: string): string {
  const waiting = path.split("/");
  const done: string[] = [];
  for (let links = 0; waiting.length > 0;) {
    const part = waiting.shift()!;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const target = links < MAX_LINKS ? linkTarget(`${root}/${[...done, part].join("/")}`) : undefined;
    if (target === undefined) {
      done.push(part);
      continue;
    }
    links++;
    if (target.startsWith("/")) done.length = 0;
    waiting.unshift(...target.split("/"));
  }
  return `/${done.join("/")}`;
}

function linkTarget(path: string): string | undefined {
  try {
    return sys.readLink(path);
  } catch (error) {
    if (error instanceof sys.SyscallError) return undefined;
    throw error;
  }
}

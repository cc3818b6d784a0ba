/**
 * Stand-in for `jsr:@std/path/basename`. Not published. In plain JavaScript, since loading `node:path` costs a command
 * line more than all that it does.
 *
 * @module
 */

/** What separates the parts of a path. */
const SEPARATORS = Deno.build.os === "windows" ? "/\\" : "/";

/** The last part of `path`, without `suffix`. */
export function basename(path: string, suffix = ""): string {
  let end = path.length;
  while (end > 0 && SEPARATORS.includes(path[end - 1]!)) end--;
  let start = end;
  while (start > 0 && !SEPARATORS.includes(path[start - 1]!)) start--;
  // A path of separators only is the root.
  if (start === end) return path === "" ? "" : path[0]!;
  const name = path.slice(start, end);
  return suffix !== "" && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

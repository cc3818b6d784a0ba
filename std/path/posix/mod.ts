/**
 * Stand-in for `jsr:@std/path/posix`, over `node:path/posix`: only functions that the real package has, with its
 * signatures and results. Not published.
 *
 * @module
 */
import * as native from "node:path/posix";

/** The last part of `path`, without `suffix`. */
export function basename(path: string, suffix = ""): string {
  return native.basename(path, suffix);
}

/** All but the last part of `path`. */
export function dirname(path: string): string {
  return native.dirname(path);
}

/** The extension of `path` with its dot; empty without one. */
export function extname(path: string): string {
  return native.extname(path);
}

/** Whether `path` begins with a slash. */
export function isAbsolute(path: string): boolean {
  return native.isAbsolute(path);
}

/** Joins parts with slashes, and normalizes. */
export function join(...paths: string[]): string {
  return native.join(...paths);
}

/** Resolves parts, from right to left, to an absolute path. */
export function resolve(...pathSegments: string[]): string {
  return native.resolve(...pathSegments);
}

/** The path that leads from `from` to `to`. */
export function relative(from: string, to: string): string {
  return native.relative(from, to);
}

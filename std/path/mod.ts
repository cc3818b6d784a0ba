/**
 * Stand-in for `jsr:@std/path`, over `node:path` and `node:url`: only functions that the real package has, with its
 * signatures and results. Not published.
 *
 * @module
 */
import * as native from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export { basename } from "./basename.ts";

/** All but the last part of `path`. */
export function dirname(path: string): string {
  return native.dirname(path);
}

/** The extension of `path` with its dot; empty without one. */
export function extname(path: string): string {
  return native.extname(path);
}

/** Whether `path` is absolute. */
export function isAbsolute(path: string): boolean {
  return native.isAbsolute(path);
}

/** Joins parts with the system's separator, and normalizes. */
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

/** The path of a `file:` URL. */
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}

/** The `file:` URL of an absolute path. */
export function toFileUrl(path: string): URL {
  if (!native.isAbsolute(path)) throw new TypeError(`Path must be absolute: received "${path}"`);
  return pathToFileURL(path);
}

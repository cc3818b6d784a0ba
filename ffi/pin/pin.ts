/**
 * Names for maps, programs and links in a BPF file system, which keep them alive.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";
import { checkPinPath } from "./path.ts";

/** How something is pinned. */
export interface PinOptions {
  /** Take the place of what is pinned there already; at no time is nothing there. */
  readonly replace?: boolean | undefined;
  /** Make the directories that are missing, for their owner only. */
  readonly makeDirs?: boolean | undefined;
}

/**
 * Pins a map, a program or a link. It may be pinned more than once.
 *
 * @param object What to pin.
 * @param path Its name in a BPF file system.
 * @param options How.
 * @throws {Error} if `path` is outside a BPF file system, its directory is missing or may not be written, or something is
 * there already.
 * @throws {sys.SyscallError} if the kernel refuses it nevertheless.
 */
export function pin(object: { readonly fd: number }, path: string, options: PinOptions = {}): void {
  checkPinPath(path, options.makeDirs);
  if (!sys.exists(path)) return sys.objPin(object.fd, path);
  if (options.replace !== true) {
    throw new Error(`cannot pin at "${path}": something is there already; unpin it, or pin with replace`);
  }
  const temporary = `${path}~${sys.getpid()}`;
  sys.objPin(object.fd, temporary);
  try {
    sys.rename(temporary, path);
  } catch (error) {
    sys.unlink(temporary);
    throw error;
  }
}

/**
 * Moves a pin to another name in the same BPF file system.
 *
 * @param from Its name.
 * @param to Its new name.
 * @param options How.
 * @throws {Error} as {@linkcode pin}.
 * @throws {sys.SyscallError} if there is no pin, or the kernel refuses it.
 */
export function movePin(from: string, to: string, options: PinOptions = {}): void {
  checkPinPath(to, options.makeDirs);
  if (options.replace !== true && sys.exists(to)) {
    throw new Error(`cannot pin at "${to}": something is there already; unpin it, or move with replace`);
  }
  sys.rename(from, to);
}

/**
 * Removes a pin; what was pinned goes with its last user.
 *
 * @throws {sys.SyscallError} if there is none (code `ENOENT`), or it may not be removed.
 */
export function unpin(path: string): void {
  sys.unlink(path);
}

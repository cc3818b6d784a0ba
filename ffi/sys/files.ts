/**
 * Files through libc: `--allow-ffi` alone does not open /proc and /sys to Deno's own functions.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { calls } from "./calls.ts";
import { Errno } from "./errno.ts";
import { SyscallError } from "./errors.ts";
import { callError } from "./fail.ts";
import { Fd } from "./fd.ts";
import { mapMemory, type Mapping } from "./mapping.ts";
import { cString, textOf } from "./wire.ts";

/** Flags of open(2) (asm-generic/fcntl.h). */
export const OpenFlag = {
  /** For reading. */
  O_RDONLY: 0,
  /** For writing. */
  O_WRONLY: 1,
  /** For both. */
  O_RDWR: 2,
  /** Make it if it is not there. */
  O_CREAT: 0o100,
  /** Fail if it is there. */
  O_EXCL: 0o200,
  /** Empty it. */
  O_TRUNC: 0o1000,
  /** Write at its end. */
  O_APPEND: 0o2000,
  /** Do not wait. */
  O_NONBLOCK: 0o4000,
} as const;
/** A set of {@linkcode OpenFlag}s. */
export type OpenFlag = number;

const O_CLOEXEC = 0o2000000;
/** `O_DIRECTORY` is one of the few flags that differ (asm/fcntl.h). */
const O_DIRECTORY = Deno.build.arch === "aarch64" ? 0o40000 : 0o200000;
const SEEK_END = 2;
const F_OK = 0;
const X_OK = 1;
const W_OK = 2;
const R_OK = 4;
const FIRST_READ_BYTES = 16384;
/** No object or BTF is as large; a device that never ends is. */
const MAX_READ_BYTES = 2 ** 30;
const PATH_MAX = 4096;

/**
 * Opens a file (open(2), always with `O_CLOEXEC`).
 *
 * @param path Its path.
 * @param flags {@linkcode OpenFlag}s.
 * @param mode Permissions of a file that is made.
 * @throws {SyscallError} if it cannot be opened.
 */
export function open(path: string, flags: OpenFlag = OpenFlag.O_RDONLY, mode = 0o666): Fd {
  const result = calls.open(cString(path), flags | O_CLOEXEC, mode);
  if (result < 0) throw callError(`open(${path})`, result);
  return new Fd(result);
}

/**
 * Reads what there is, at most as much as `buffer` holds.
 *
 * @returns Number of bytes; 0 at the end; `undefined` if a non-blocking file has nothing now.
 * @throws {SyscallError} if it cannot be read.
 */
export function read(fd: number, buffer: Uint8Array<ArrayBuffer>): number | undefined {
  for (;;) {
    const result = calls.read(fd, buffer);
    if (result === -Errno.EINTR) continue;
    if (result === -Errno.EAGAIN) return undefined;
    if (result < 0) throw callError("read()", result);
    return result;
  }
}

/**
 * Reads a whole file, whose size need not be known: files of /proc and /sys say 0 or a page, directories 2^63 - 1.
 *
 * @throws {SyscallError} if it cannot be opened or read, or has more than 1 GiB (code `EFBIG`).
 */
export function readFile(path: string): Uint8Array<ArrayBuffer> {
  using fd = open(path);
  const size = sizeOf(fd.value);
  let bytes = new Uint8Array(size <= MAX_READ_BYTES ? Math.max(size + 1, FIRST_READ_BYTES) : FIRST_READ_BYTES);
  let length = 0;
  for (;;) {
    const result = calls.read(fd.value, bytes.subarray(length));
    if (result === -Errno.EINTR) continue;
    if (result < 0) throw callError(`read(${path})`, result);
    if (result === 0) return bytes.slice(0, length);
    length += result;
    if (length < bytes.length) continue;
    if (length > MAX_READ_BYTES) throw callError(`read(${path})`, -Errno.EFBIG);
    const larger = new Uint8Array(bytes.length * 2);
    larger.set(bytes);
    bytes = larger;
  }
}

/**
 * Reads a whole file as UTF-8 text.
 *
 * @throws {SyscallError} if it cannot be opened or read.
 */
export function readTextFile(path: string): string {
  return new TextDecoder().decode(readFile(path));
}

/**
 * Writes to a file that is there (a setting of /proc or /sys, a command to tracefs), or with `O_CREAT` to a new one.
 *
 * @param path Its path.
 * @param content What to write, in one piece.
 * @param flags Further {@linkcode OpenFlag}s: `O_APPEND`, `O_TRUNC`, `O_CREAT`.
 * @throws {SyscallError} if it cannot be opened or the kernel does not take it.
 */
export function writeFile(path: string, content: string | Uint8Array<ArrayBuffer>, flags: OpenFlag = 0): void {
  using fd = open(path, OpenFlag.O_WRONLY | flags);
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const result = calls.write(fd.value, bytes);
  if (result < 0) throw callError(`write(${path})`, result);
  if (result < bytes.length) {
    throw callError(`write(${path})`, -Errno.EIO, `only ${result} of ${bytes.length} bytes were taken`);
  }
}

/** A file whose bytes are at hand: mapped where that works, else read. */
export class MappedFile implements Disposable {
  readonly #content: Mapping | Uint8Array<ArrayBuffer>;
  #bytes: Uint8Array<ArrayBuffer>;

  /**
   * Takes over a mapping, or bytes that were read.
   *
   * @param content Its memory, or its bytes.
   */
  constructor(content: Mapping | Uint8Array<ArrayBuffer>) {
    this.#content = content;
    this.#bytes = content instanceof Uint8Array ? content : content.bytes;
  }

  /** The file's bytes; empty after {@linkcode MappedFile.close}. *To write to them kills the process.* */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Is it mapped, not read. */
  get mapped(): boolean {
    return !(this.#content instanceof Uint8Array);
  }

  /** Unmaps it. Closing again does nothing. */
  close(): void {
    if (!(this.#content instanceof Uint8Array)) this.#content.close();
    this.#bytes = new Uint8Array(0);
  }

  /** As {@linkcode MappedFile.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Maps a file for reading; reads it where it cannot be mapped (files of /proc, BTF before Linux 6.16). Meant for
 * files that nobody cuts short: to read beyond a new end kills the process. For files of a user use {@linkcode readFile}.
 *
 * @throws {SyscallError} if it cannot be opened or read.
 */
export function mapFile(path: string): MappedFile {
  using fd = open(path);
  const size = sizeOf(fd.value);
  if (size > 0) {
    try {
      return new MappedFile(mapMemory({ fd: fd.value, length: size, shared: false }));
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
  }
  return new MappedFile(readFile(path));
}

/** Is there anything of that name (access(2)). */
export function exists(path: string): boolean {
  return calls.access(cString(path), F_OK) === 0;
}

/** May this process read it, and with `run` also run it (access(2)). */
export function isReadable(path: string, run = false): boolean {
  return calls.access(cString(path), run ? R_OK | X_OK : R_OK) === 0;
}

/**
 * Where a symbolic link points (readlink(2)).
 *
 * @throws {SyscallError} if it is none.
 */
export function readLink(path: string): string {
  const buffer = new Uint8Array(PATH_MAX);
  const result = calls.readlink(cString(path), buffer);
  if (result < 0) throw callError(`readlink(${path})`, result);
  return textOf(buffer.subarray(0, result));
}

/**
 * Makes a directory (mkdir(2)).
 *
 * @throws {SyscallError} if it cannot be made: code `EEXIST` if something of that name is there.
 */
export function mkdir(path: string, mode = 0o777): void {
  const result = calls.mkdir(cString(path), mode);
  if (result < 0) throw callError(`mkdir(${path})`, result);
}

/**
 * Removes a file or a pin (unlink(2)).
 *
 * @throws {SyscallError} if it cannot be removed: code `ENOENT` if it is not there.
 */
export function unlink(path: string): void {
  const result = calls.unlink(cString(path));
  if (result < 0) throw callError(`unlink(${path})`, result);
}

/**
 * Removes an empty directory (rmdir(2)).
 *
 * @throws {SyscallError} if it cannot be removed: code `ENOTEMPTY` if it is not empty.
 */
export function rmdir(path: string): void {
  const result = calls.rmdir(cString(path));
  if (result < 0) throw callError(`rmdir(${path})`, result);
}

/**
 * Gives a file or pin another name in the same file system (rename(2)); what has that name goes.
 *
 * @throws {SyscallError} if it cannot be renamed.
 */
export function rename(from: string, to: string): void {
  const result = calls.rename(cString(from), cString(to));
  if (result < 0) throw callError(`rename(${from}, ${to})`, result);
}

/** May this process write there: a file, or names of a directory (access(2)). */
export function isWritable(path: string): boolean {
  return calls.access(cString(path), W_OK) === 0;
}

/** Larger than `struct statfs` (asm-generic/statfs.h), which begins with the type in 64 bits. */
const STATFS_BYTES = 256;

/**
 * The file system that a path is in, by its magic number (linux/magic.h).
 *
 * @throws {SyscallError} if there is nothing of that name: code `ENOENT`.
 */
export function fileSystemType(path: string): number {
  const buffer = new Uint8Array(STATFS_BYTES);
  const result = calls.statfs(cString(path), buffer);
  if (result < 0) throw callError(`statfs(${path})`, result);
  return new DataView(buffer.buffer).getUint32(HOST_BYTE_ORDER === "little" ? 0 : 4, HOST_BYTE_ORDER === "little");
}

/** What a directory holds under a name. */
export interface DirEntry {
  /** The name. */
  readonly name: string;
  /** What it is; `"unknown"` on file systems that do not say. */
  readonly kind: "file" | "directory" | "symlink" | "other" | "unknown";
}

/** `struct linux_dirent64` (linux/dirent.h): its length, its type, its name. */
const DIRENT = { reclen: 16, type: 18, name: 19 } as const;
const DIRENT_KINDS: Partial<Record<number, DirEntry["kind"]>> = {
  0: "unknown",
  4: "directory",
  8: "file",
  10: "symlink",
};

/**
 * What a directory holds, without `.` and `..`, in the file system's order.
 *
 * @throws {SyscallError} if it cannot be read.
 */
export function readDir(path: string): DirEntry[] {
  using fd = open(path, O_DIRECTORY);
  const buffer = new Uint8Array(32768);
  const view = new DataView(buffer.buffer);
  const entries: DirEntry[] = [];
  for (;;) {
    const length = calls.getdents64(fd.value, buffer);
    if (length < 0) throw callError(`getdents64(${path})`, length);
    if (length === 0) return entries;
    for (let at = 0; at < length;) {
      const size = view.getUint16(at + DIRENT.reclen, HOST_BYTE_ORDER === "little");
      const name = textOf(buffer.subarray(at + DIRENT.name, at + size));
      const kind = DIRENT_KINDS[buffer[at + DIRENT.type]!] ?? "other";
      if (name !== "." && name !== "..") entries.push({ name, kind });
      at += size;
    }
  }
}

/** Size of an open file in bytes, as far as it says; the read position is back at its start. */
function sizeOf(fd: number): number {
  const size = calls.lseek(fd, 0, SEEK_END);
  calls.lseek(fd, 0, 0);
  return Math.max(size, 0);
}

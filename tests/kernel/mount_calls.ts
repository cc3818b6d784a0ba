/**
 * The calls that mount a file system in steps (Linux 5.2), and those that take a file descriptor from another process (5.6).
 *
 * @module
 */

/** `FSCONFIG_SET_STRING` of linux/mount.h. */
export const SET_STRING = 1;
/** `FSCONFIG_CMD_CREATE` of linux/mount.h. */
export const CREATE = 6;

/** Numbers that are the same on all machines. */
const NR = { fsopen: 430, fsconfig: 431, fsmount: 432, pidfdOpen: 434, pidfdGetfd: 438 };

const libc = Deno.dlopen("libc.so.6", {
  one: { name: "syscall", parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  numbers: { name: "syscall", parameters: ["i32", "i32", "i32", "i32"], result: "i32" },
  config: { name: "syscall", parameters: ["i32", "i32", "i32", "buffer", "buffer", "i32"], result: "i32" },
}).symbols;

function text(value: string | null): Uint8Array<ArrayBuffer> | null {
  return value === null ? null : new TextEncoder().encode(`${value}\0`);
}

function check(what: string, result: number): number {
  if (result < 0) throw new Error(`${what} failed`);
  return result;
}

/** Begins to mount a file system of that type. */
export function fsopen(type: string): number {
  return check("fsopen()", libc.one(NR.fsopen, text(type), 0, 0));
}

/** Sets an option, or makes the file system. */
export function fsconfig(context: number, command: number, key: string | null, value: string | null): void {
  check(`fsconfig(${key})`, libc.config(NR.fsconfig, context, command, text(key), text(value), 0));
}

/** The root of what was made. */
export function fsmount(context: number): number {
  return check("fsmount()", libc.numbers(NR.fsmount, context, 0, 0));
}

/** A file descriptor of another process. */
export function takeFd(pid: number, fd: number): number {
  const pidfd = check("pidfd_open()", libc.numbers(NR.pidfdOpen, pid, 0, 0));
  return check("pidfd_getfd()", libc.numbers(NR.pidfdGetfd, pidfd, fd, 0));
}

/**
 * epoll(7) and eventfd(2): waiting for file descriptors without blocking the event loop.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { calls } from "./calls.ts";
import { Errno } from "./errno.ts";
import { callError, check } from "./fail.ts";
import { Fd } from "./fd.ts";

/** There is something to read (sys/epoll.h). */
export const EPOLLIN = 0x1;
/** There is something urgent to read, or a file of sysfs changed. */
export const EPOLLPRI = 0x2;
/** There is room to write. */
export const EPOLLOUT = 0x4;
/** An error; always waited for. */
export const EPOLLERR = 0x8;
/** The other side is gone; always waited for. */
export const EPOLLHUP = 0x10;
/** Report it once, then not again before {@linkcode epollModify}. */
export const EPOLLONESHOT = 0x4000_0000;
/** Report it once for each time that it happens. */
export const EPOLLET = 0x8000_0000;

const EPOLL_CLOEXEC = 0x80000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EFD_CLOEXEC = 0x80000;
const EFD_NONBLOCK = 0x800;
const LITTLE = HOST_BYTE_ORDER === "little";

/** `struct epoll_event`: `u32 events; u64 data`, of which `data` holds the file descriptor. Packed on x86_64 only. */
const EVENT = Deno.build.arch === "x86_64" ? { data: 4, size: 12 } : { data: 8, size: 16 };

/** Used by every call, since making it takes longer than the call: streams wait a thousand times a second. */
const CONTROL = new Uint8Array(EVENT.size);
const CONTROL_VIEW = new DataView(CONTROL.buffer);

/**
 * Opens an empty set of file descriptors (epoll_create1(2)).
 *
 * @throws {SyscallError} if the limit of open files is reached.
 */
export function epollCreate(): Fd {
  return new Fd(check("epoll_create1()", calls.epollCreate1(EPOLL_CLOEXEC)));
}

/**
 * Adds a file descriptor.
 *
 * @param epoll The set.
 * @param fd The file descriptor; to be taken out before it is closed.
 * @param events `EPOLL*`.
 * @throws {SyscallError} if it is there already (code `EEXIST`) or cannot be waited for (`EPERM`).
 */
export function epollAdd(epoll: number, fd: number, events: number): void {
  control("EPOLL_CTL_ADD", epoll, EPOLL_CTL_ADD, fd, events);
}

/**
 * Changes what is waited for.
 *
 * @throws {SyscallError} if the file descriptor is not in the set (code `ENOENT`).
 */
export function epollModify(epoll: number, fd: number, events: number): void {
  control("EPOLL_CTL_MOD", epoll, EPOLL_CTL_MOD, fd, events);
}

/**
 * Takes a file descriptor out.
 *
 * @throws {SyscallError} if the file descriptor is not in the set (code `ENOENT`).
 */
export function epollDelete(epoll: number, fd: number): void {
  control("EPOLL_CTL_DEL", epoll, EPOLL_CTL_DEL, fd, 0);
}

/**
 * The file descriptors that are ready now, without waiting.
 *
 * @param epoll The set.
 * @param limit How many at most.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function epollReady(epoll: number, limit: number): number[] {
  const events = new Uint8Array(limit * EVENT.size);
  const result = calls.epollWait(epoll, events, limit, 0);
  if (result === -Errno.EINTR) return [];
  if (result < 0) throw callError("epoll_wait()", result);
  return readyOf(events, result);
}

/**
 * Waits on another thread until file descriptors are ready or time is up.
 *
 * The wait cannot be cancelled, keeps the process alive and occupies one of about 32 threads: so there should be one for
 * the whole program, with an eventfd in the set to end it. The set must stay open meanwhile.
 *
 * @param epoll The set.
 * @param limit How many file descriptors at most; the others are reported the next time.
 * @param timeoutMs Milliseconds; -1 waits without end.
 * @returns The file descriptors that are ready.
 * @throws {SyscallError} if the kernel refuses it.
 */
export async function epollWait(epoll: number, limit: number, timeoutMs: number): Promise<number[]> {
  const events = new Uint8Array(limit * EVENT.size);
  const result = await calls.epollWaitAsync(epoll, events, limit, timeoutMs);
  // The other thread's errno is lost: asking again on this one tells what is wrong.
  return result < 0 ? epollReady(epoll, limit) : readyOf(events, result);
}

/**
 * Opens a counter that can be waited for (eventfd(2)): how one part of a program ends a wait of another.
 *
 * @throws {SyscallError} if the limit of open files is reached.
 */
export function eventfdCreate(): Fd {
  return new Fd(check("eventfd()", calls.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
}

/**
 * Makes an eventfd ready.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function eventfdSignal(fd: number): void {
  const result = calls.write(fd, new Uint8Array(BigUint64Array.of(1n).buffer));
  // EAGAIN: it was signalled 2^64 - 2 times, and is ready all the more.
  if (result < 0 && result !== -Errno.EAGAIN) throw callError("write(eventfd)", result);
}

/**
 * Makes an eventfd unready.
 *
 * @returns Was it ready.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function eventfdClear(fd: number): boolean {
  const result = calls.read(fd, new Uint8Array(8));
  if (result < 0 && result !== -Errno.EAGAIN) throw callError("read(eventfd)", result);
  return result > 0;
}

function readyOf(events: Uint8Array<ArrayBuffer>, count: number): number[] {
  const view = new DataView(events.buffer);
  return Array.from({ length: count }, (_, index) => view.getInt32(index * EVENT.size + EVENT.data, LITTLE));
}

function control(name: string, epoll: number, op: number, fd: number, events: number): void {
  CONTROL_VIEW.setUint32(0, events, LITTLE);
  CONTROL_VIEW.setInt32(EVENT.data, fd, LITTLE);
  const result = calls.epollCtl(epoll, op, fd, CONTROL);
  if (result < 0) throw callError(`epoll_ctl(${name})`, result);
}

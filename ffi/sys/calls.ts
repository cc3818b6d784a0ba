/**
 * Every system call of the library goes through one table, {@linkcode calls}, whose functions a test may wrap or replace to
 * make any call fail.
 *
 * The functions answer as the kernel does: a result of 0 or more, or a negative error number. Nothing here throws, except
 * {@linkcode native} when there is no C library to call.
 *
 * @module
 */
import { Errno } from "./errno.ts";
import { native } from "./libc.ts";

/** The system calls that the library makes. */
export interface SystemCalls {
  /** bpf(2): `attr` points to a `union bpf_attr` of `size` bytes. */
  bpf(cmd: number, attr: Deno.PointerObject, size: number): number;
  /** perf_event_open(2): `attr` points to a `struct perf_event_attr`. */
  perfEventOpen(attr: Deno.PointerObject, pid: number, cpu: number, groupFd: number, flags: number): number;
  /** uprobe(2), which only the kernel's own trampolines may call: anywhere else it fails. */
  uprobe(): number;
  /** getenv(3): `name` ends with a NUL. */
  getenv(name: Uint8Array<ArrayBuffer>): Deno.PointerObject | null;
  /** mmap(2); the result is the address, by default one of the kernel's choice. */
  mmap(
    length: number,
    prot: number,
    flags: number,
    fd: number,
    offset: number,
    address?: bigint,
  ): Deno.PointerObject | number;
  /** munmap(2) */
  munmap(address: Deno.PointerObject, length: number): number;
  /** open(2): `path` ends with a NUL. */
  open(path: Uint8Array<ArrayBuffer>, flags: number, mode: number): number;
  /** close(2) */
  close(fd: number): number;
  /** read(2) */
  read(fd: number, buffer: Uint8Array<ArrayBuffer>): number;
  /** write(2) */
  write(fd: number, bytes: Uint8Array<ArrayBuffer>): number;
  /** lseek(2) */
  lseek(fd: number, offset: number, whence: number): number;
  /** getdents64(2) */
  getdents64(fd: number, buffer: Uint8Array<ArrayBuffer>): number;
  /** fcntl(2) with an integer argument. */
  fcntl(fd: number, cmd: number, arg: number): number;
  /** ioctl(2): `arg` is an integer or an address. */
  ioctl(fd: number, request: number, arg: bigint): number;
  /** access(2): `path` ends with a NUL. */
  access(path: Uint8Array<ArrayBuffer>, mode: number): number;
  /** mkdir(2): `path` ends with a NUL. */
  mkdir(path: Uint8Array<ArrayBuffer>, mode: number): number;
  /** unlink(2): `path` ends with a NUL. */
  unlink(path: Uint8Array<ArrayBuffer>): number;
  /** rmdir(2): `path` ends with a NUL. */
  rmdir(path: Uint8Array<ArrayBuffer>): number;
  /** rename(2): both end with a NUL. */
  rename(from: Uint8Array<ArrayBuffer>, to: Uint8Array<ArrayBuffer>): number;
  /** statfs(2): `path` ends with a NUL, `buffer` is a `struct statfs`. */
  statfs(path: Uint8Array<ArrayBuffer>, buffer: Uint8Array<ArrayBuffer>): number;
  /** readlink(2): `path` ends with a NUL. */
  readlink(path: Uint8Array<ArrayBuffer>, buffer: Uint8Array<ArrayBuffer>): number;
  /** poll(2): `fds` is an array of `struct pollfd` (8 bytes each). */
  poll(fds: Uint8Array<ArrayBuffer>, timeoutMs: number): number;
  /** epoll_create1(2) */
  epollCreate1(flags: number): number;
  /** epoll_ctl(2) */
  epollCtl(epollFd: number, op: number, fd: number, event: Uint8Array<ArrayBuffer>): number;
  /** epoll_wait(2) that blocks this thread; use a timeout of 0. */
  epollWait(epollFd: number, events: Uint8Array<ArrayBuffer>, maxEvents: number, timeoutMs: number): number;
  /** epoll_wait(2) on another thread: 0 or more, or -1 for an error whose number is lost. */
  epollWaitAsync(
    epollFd: number,
    events: Uint8Array<ArrayBuffer>,
    maxEvents: number,
    timeoutMs: number,
  ): Promise<number>;
  /** eventfd(2) */
  eventfd(initial: number, flags: number): number;
  /** getpid(2) */
  getpid(): number;
  /** getuid(2) */
  getuid(): number;
  /** geteuid(2) */
  geteuid(): number;
  /** uname(2): `buffer` is a `struct utsname`. */
  uname(buffer: Uint8Array<ArrayBuffer>): number;
  /** getpagesize(3) */
  getpagesize(): number;
  /** clock_gettime(2): `buffer` is a `struct timespec`. */
  clockGettime(clock: number, buffer: Uint8Array<ArrayBuffer>): number;
  /** setrlimit(2): `limits` is a `struct rlimit`. */
  setrlimit(resource: number, limits: Uint8Array<ArrayBuffer>): number;
  /** socket(2) */
  socket(domain: number, type: number, protocol: number): number;
  /** bind(2): `address` is a `struct sockaddr_*`. */
  bind(fd: number, address: Uint8Array<ArrayBuffer>): number;
  /** setsockopt(2) */
  setsockopt(fd: number, level: number, option: number, value: Uint8Array<ArrayBuffer>): number;
}

/** `MAP_FAILED`, `(void *) -1`. */
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** The table in use. */
export const calls: SystemCalls = {
  // errno is read before anything can allocate: a collection of garbage makes system calls of its own.
  bpf(cmd, attr, size) {
    const { libc, nr, errno } = native();
    const result = libc.bpf(nr.bpf, cmd, attr, size);
    return result < 0 ? -errno[0]! : result;
  },
  perfEventOpen(attr, pid, cpu, groupFd, flags) {
    const { libc, nr, errno } = native();
    const result = libc.perfEventOpen(nr.perfEventOpen, attr, pid, cpu, groupFd, BigInt(flags));
    return result < 0 ? -errno[0]! : result;
  },
  uprobe() {
    const { libc, nr, errno } = native();
    if (nr.uprobe === undefined) return -Errno.ENOSYS;
    const result = libc.uprobe(nr.uprobe);
    return result < 0 ? -errno[0]! : result;
  },
  getenv: (name) => native().libc.getenv(name),
  mmap(length, prot, flags, fd, offset, at = 0n) {
    const { libc, errno } = native();
    const address = libc.mmap(Deno.UnsafePointer.create(at), BigInt(length), prot, flags, fd, BigInt(offset));
    const error = errno[0]!;
    return address === null || Deno.UnsafePointer.value(address) === MAP_FAILED ? -error : address;
  },
  munmap(address, length) {
    const { libc, errno } = native();
    const result = libc.munmap(address, BigInt(length));
    return result < 0 ? -errno[0]! : result;
  },
  open(path, flags, mode) {
    const { libc, errno } = native();
    const result = libc.open(path, flags, mode);
    return result < 0 ? -errno[0]! : result;
  },
  close(fd) {
    const { libc, errno } = native();
    const result = libc.close(fd);
    return result < 0 ? -errno[0]! : result;
  },
  read(fd, buffer) {
    const { libc, errno } = native();
    const result = libc.read(fd, buffer, BigInt(buffer.length));
    return result < 0 ? -errno[0]! : result;
  },
  write(fd, bytes) {
    const { libc, errno } = native();
    const result = libc.write(fd, bytes, BigInt(bytes.length));
    return result < 0 ? -errno[0]! : result;
  },
  lseek(fd, offset, whence) {
    const { libc, errno } = native();
    const result = libc.lseek(fd, BigInt(offset), whence);
    const error = errno[0]!;
    return result < 0n ? -error : Number(result);
  },
  getdents64(fd, buffer) {
    const { libc, nr, errno } = native();
    const result = libc.getdents64(nr.getdents64, fd, buffer, buffer.length);
    return result < 0 ? -errno[0]! : result;
  },
  fcntl(fd, cmd, arg) {
    const { libc, errno } = native();
    const result = libc.fcntl(fd, cmd, BigInt(arg));
    return result < 0 ? -errno[0]! : result;
  },
  ioctl(fd, request, arg) {
    const { libc, errno } = native();
    const result = libc.ioctl(fd, BigInt(request), arg);
    return result < 0 ? -errno[0]! : result;
  },
  access(path, mode) {
    const { libc, errno } = native();
    const result = libc.access(path, mode);
    return result < 0 ? -errno[0]! : result;
  },
  mkdir(path, mode) {
    const { libc, errno } = native();
    const result = libc.mkdir(path, mode);
    return result < 0 ? -errno[0]! : result;
  },
  unlink(path) {
    const { libc, errno } = native();
    const result = libc.unlink(path);
    return result < 0 ? -errno[0]! : result;
  },
  rmdir(path) {
    const { libc, errno } = native();
    const result = libc.rmdir(path);
    return result < 0 ? -errno[0]! : result;
  },
  rename(from, to) {
    const { libc, errno } = native();
    const result = libc.rename(from, to);
    return result < 0 ? -errno[0]! : result;
  },
  statfs(path, buffer) {
    const { libc, errno } = native();
    const result = libc.statfs(path, buffer);
    return result < 0 ? -errno[0]! : result;
  },
  readlink(path, buffer) {
    const { libc, errno } = native();
    const result = libc.readlink(path, buffer, BigInt(buffer.length));
    return result < 0 ? -errno[0]! : result;
  },
  poll(fds, timeoutMs) {
    const { libc, errno } = native();
    const result = libc.poll(fds, BigInt(fds.length >> 3), timeoutMs);
    return result < 0 ? -errno[0]! : result;
  },
  epollCreate1(flags) {
    const { libc, errno } = native();
    const result = libc.epollCreate1(flags);
    return result < 0 ? -errno[0]! : result;
  },
  epollCtl(epollFd, op, fd, event) {
    const { libc, errno } = native();
    const result = libc.epollCtl(epollFd, op, fd, event);
    return result < 0 ? -errno[0]! : result;
  },
  epollWait(epollFd, events, maxEvents, timeoutMs) {
    const { libc, errno } = native();
    const result = libc.epollWait(epollFd, events, maxEvents, timeoutMs);
    return result < 0 ? -errno[0]! : result;
  },
  epollWaitAsync(epollFd, events, maxEvents, timeoutMs) {
    return native().libc.epollWaitAsync(epollFd, events, maxEvents, timeoutMs);
  },
  eventfd(initial, flags) {
    const { libc, errno } = native();
    const result = libc.eventfd(initial, flags);
    return result < 0 ? -errno[0]! : result;
  },
  getpid: () => native().libc.getpid(),
  getuid: () => native().libc.getuid(),
  geteuid: () => native().libc.geteuid(),
  uname(buffer) {
    const { libc, errno } = native();
    const result = libc.uname(buffer);
    return result < 0 ? -errno[0]! : result;
  },
  getpagesize: () => native().libc.getpagesize(),
  clockGettime(clock, buffer) {
    const { libc, errno } = native();
    const result = libc.clockGettime(clock, buffer);
    return result < 0 ? -errno[0]! : result;
  },
  setrlimit(resource, limits) {
    const { libc, errno } = native();
    const result = libc.setrlimit(resource, limits);
    return result < 0 ? -errno[0]! : result;
  },
  socket(domain, type, protocol) {
    const { libc, errno } = native();
    const result = libc.socket(domain, type, protocol);
    return result < 0 ? -errno[0]! : result;
  },
  bind(fd, address) {
    const { libc, errno } = native();
    const result = libc.bind(fd, address, address.length);
    return result < 0 ? -errno[0]! : result;
  },
  setsockopt(fd, level, option, value) {
    const { libc, errno } = native();
    const result = libc.setsockopt(fd, level, option, value, value.length);
    return result < 0 ? -errno[0]! : result;
  },
};

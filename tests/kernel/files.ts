/**
 * File descriptors of kernel objects that Deno does not hand out: sockets, processes.
 *
 * @module
 */
import { Fd } from "../../ffi/sys/mod.ts";

const libc = () =>
  Deno.dlopen("libc.so.6", {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    listen: { parameters: ["i32", "i32"], result: "i32" },
    connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
    getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
    syscall: { parameters: ["i32", "i32", "u32"], result: "i32" },
  });

let opened: ReturnType<typeof libc> | undefined;
const call = () => (opened ??= libc()).symbols;

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;
const PIDFD_OPEN = 434;

function check(what: string, result: number): number {
  if (result < 0) throw new Error(`${what} failed`);
  return result;
}

/** A socket (socket(2)), a TCP one by default. */
export function socket(family = AF_INET, type = SOCK_STREAM): Fd {
  return new Fd(check("socket()", call().socket(family, type, 0)));
}

function loopback(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** A TCP socket that listens on a free port of 127.0.0.1, in a group of sockets that may share it. */
export function listener(): Fd {
  const fd = socket();
  check("setsockopt()", call().setsockopt(fd.value, SOL_SOCKET, SO_REUSEPORT, Uint8Array.of(1, 0, 0, 0), 4));
  check("bind()", call().bind(fd.value, loopback(), 16));
  check("listen()", call().listen(fd.value, 4));
  return fd;
}

/** Two TCP sockets that are connected with each other. */
export function connectedPair(): [Fd, Fd] {
  using server = listener();
  const address = loopback();
  check("getsockname()", call().getsockname(server.value, address, Uint8Array.of(16, 0, 0, 0)));
  const client = socket();
  check("connect()", call().connect(client.value, address, 16));
  return [client, new Fd(check("accept()", call().accept(server.value, null, null)))];
}

/** A file descriptor of a process (pidfd_open(2), 5.3). */
export function pidFd(pid: number): Fd {
  return new Fd(check("pidfd_open()", call().syscall(PIDFD_OPEN, pid, 0)));
}

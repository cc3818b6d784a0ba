/**
 * Sockets, as far as programs are attached to them.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { calls } from "./calls.ts";
import { check } from "./fail.ts";
import { Fd } from "./fd.ts";

/** Families of sockets (linux/socket.h). */
export const AddressFamily = {
  /** This machine. */
  AF_UNIX: 1,
  /** IPv4. */
  AF_INET: 2,
  /** IPv6. */
  AF_INET6: 10,
  /** The kernel. */
  AF_NETLINK: 16,
  /** Frames of network devices. */
  AF_PACKET: 17,
} as const;

/** Types of sockets (linux/net.h). */
export const SocketType = {
  /** TCP. */
  SOCK_STREAM: 1,
  /** UDP. */
  SOCK_DGRAM: 2,
  /** With headers. */
  SOCK_RAW: 3,
} as const;

/** `SOL_SOCKET` and its options (asm-generic/socket.h). */
const SOL_SOCKET = 1;
const SO_DETACH_FILTER = 27;
const SO_ATTACH_BPF = 50;
const SO_ATTACH_REUSEPORT_EBPF = 52;
const SO_DETACH_REUSEPORT_BPF = 68;
/** Added to a type: nothing waits (asm-generic/fcntl.h). */
export const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
/** `ETH_P_ALL` (linux/if_ether.h). */
const ETH_P_ALL = 3;
const LITTLE = HOST_BYTE_ORDER === "little";

/**
 * Opens a socket (socket(2), always with `SOCK_CLOEXEC`).
 *
 * @param family `AF_*`.
 * @param type `SOCK_*`.
 * @param protocol Its number; in network byte order for `AF_PACKET`.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function socket(family: number, type: number, protocol = 0): Fd {
  return new Fd(check("socket()", calls.socket(family, type | SOCK_CLOEXEC, protocol)));
}

/**
 * Sets an option of a socket (setsockopt(2)).
 *
 * @param fd The socket.
 * @param level `SOL_*`.
 * @param option The option.
 * @param value Its value, a C `int`.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function setSocketOption(fd: number, level: number, option: number, value: number): void {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  check(`setsockopt(level ${level}, option ${option})`, calls.setsockopt(fd, level, option, bytes));
}

/**
 * A socket that sees all frames of a network device, both ways, and never blocks (packet(7)); it is thrown away with what it
 * got.
 *
 * @param ifindex The device; 0 for all of the network namespace.
 * @throws {SyscallError} if the kernel refuses it: it wants CAP_NET_RAW.
 */
export function packetSocket(ifindex: number): Fd {
  using cleanup = new DisposableStack();
  // Without a protocol it gets nothing before it is bound: no frame of another device slips in.
  const fd = cleanup.use(socket(AddressFamily.AF_PACKET, SocketType.SOCK_RAW | SOCK_NONBLOCK));
  // struct sockaddr_ll (linux/if_packet.h); the protocol is in network byte order.
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, AddressFamily.AF_PACKET, LITTLE);
  view.setUint16(2, ETH_P_ALL);
  view.setInt32(4, ifindex, LITTLE);
  check(`bind(AF_PACKET, interface ${ifindex})`, calls.bind(fd.value, address));
  cleanup.move();
  return fd;
}

/**
 * Lets a program decide how much of each packet a socket gets (`SO_ATTACH_BPF`, 3.19); it takes the place of another.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function attachSocketFilter(fd: number, progFd: number): void {
  check("setsockopt(SO_ATTACH_BPF)", calls.setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, int(progFd)));
}

/**
 * Takes a socket's filter away (`SO_DETACH_FILTER`).
 *
 * @throws {SyscallError} if it has none (code `ENOENT`).
 */
export function detachSocketFilter(fd: number): void {
  check("setsockopt(SO_DETACH_FILTER)", calls.setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, int(0)));
}

/**
 * Lets a program choose among the sockets that share a port (`SO_ATTACH_REUSEPORT_EBPF`, 4.5); it takes the place of another.
 *
 * @param fd One of the sockets, which has `SO_REUSEPORT`.
 * @param progFd The program, of type socket filter or sk_reuseport.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function attachReuseport(fd: number, progFd: number): void {
  check(
    "setsockopt(SO_ATTACH_REUSEPORT_EBPF)",
    calls.setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, int(progFd)),
  );
}

/**
 * Has the kernel choose again among the sockets that share a port (`SO_DETACH_REUSEPORT_BPF`, 5.3).
 *
 * @throws {SyscallError} if there is no program (code `ENOENT`).
 */
export function detachReuseport(fd: number): void {
  check("setsockopt(SO_DETACH_REUSEPORT_BPF)", calls.setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, int(0)));
}

function int(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Int32Array.of(value).buffer);
}

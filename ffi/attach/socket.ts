/**
 * Programs of single sockets: filters, and the choice among sockets that share a port.
 *
 * The kernel has no links for these: a program goes with its socket, or is taken away when the link is closed.
 *
 * @module
 */
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { attaching, detachUnlessGone, interfaceIndex, interfaceText } from "./attaching.ts";
import { Link } from "./link.ts";

/** What a socket filter is attached to: a socket of the caller, or all frames of a network device. */
export type AttachSocketFilterOptions =
  | {
    /** File descriptor of the socket. */
    readonly socket: number;
  }
  | {
    /**
     * A network device, by name or number, or `"any"`: a packet socket is opened for the program and closed with the link. What
     * the program lets through fills the socket's buffer and is then dropped: let it return 0 and tell by maps.
     */
    readonly interface: string | number;
  };

/**
 * Attaches a socket filter: its result is how many bytes of each packet the socket gets (`SO_ATTACH_BPF`, 3.19). The link holds
 * the socket open.
 *
 * @throws {sys.SyscallError} if the kernel refuses it: code `ENODEV` if there is no such device.
 */
export function attachSocketFilter(program: BpfProgram, options: AttachSocketFilterOptions): Link {
  const target = "socket" in options ? `socket ${options.socket}` : interfaceText(options.interface);
  return attaching(program, `socket filter of ${target}`, () => {
    using cleanup = new DisposableStack();
    // A second file descriptor: the filter can be taken away also when the caller has closed the first.
    const fd = cleanup.use("socket" in options ? sys.duplicateFd(options.socket) : openDevice(options.interface));
    sys.attachSocketFilter(fd.value, program.fd);
    cleanup.move();
    const own = "interface" in options;
    return new Link({
      kind: "socket_filter",
      target,
      program: program.name,
      fds: [fd],
      undo: own ? undefined : () => detachUnlessGone(() => sys.detachSocketFilter(fd.value)),
      update: (next, expected) => {
        refuseExpected(expected);
        sys.attachSocketFilter(fd.value, next.fd);
      },
    });
  });
}

/** How a program is attached that chooses among sockets. */
export interface AttachReuseportOptions {
  /** File descriptor of one of the sockets that share the port, with `SO_REUSEPORT`. */
  readonly socket: number;
}

/**
 * Attaches a program that chooses, for each packet or connection, among the sockets that share a port
 * (`SO_ATTACH_REUSEPORT_EBPF`): of type socket filter (4.5; its result is the index of the socket) or sk_reuseport (4.19). The
 * link holds the socket open.
 *
 * @throws {sys.SyscallError} if the kernel refuses it: code `EINVAL` if the socket does not share its port.
 */
export function attachReuseport(program: BpfProgram, options: AttachReuseportOptions): Link {
  const target = `socket ${options.socket}`;
  return attaching(program, `sockets that share the port of ${target}`, () => {
    using cleanup = new DisposableStack();
    const fd = cleanup.use(sys.duplicateFd(options.socket));
    sys.attachReuseport(fd.value, program.fd);
    cleanup.move();
    return new Link({
      kind: "sk_reuseport",
      target,
      program: program.name,
      fds: [fd],
      undo: () => detachUnlessGone(() => sys.detachReuseport(fd.value)),
      update: (next, expected) => {
        refuseExpected(expected);
        sys.attachReuseport(fd.value, next.fd);
      },
    });
  });
}

function openDevice(device: string | number): sys.Fd {
  return sys.packetSocket(device === "any" ? 0 : interfaceIndex(device));
}

/** Which program a socket has the kernel does not tell. */
function refuseExpected(expected: unknown): void {
  if (expected === undefined) return;
  throw new TypeError("the program of a socket cannot be expected: the kernel does not tell which one it is");
}

/**
 * Programs of routes ("lightweight tunnels", 4.10): the packets that take the route go through them.
 *
 * The kernel has no links for these: a program goes with its route, which is made for it and stays when a process is killed.
 *
 * @module
 */
import { BpfProgType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { attaching, interfaceIndex } from "./attaching.ts";
import { parseAddress, parsePrefix } from "./ip_address.ts";
import { Link } from "./link.ts";

/** The route that is made for a program. */
export interface AttachLwtOptions {
  /** Where packets go: `10.1.0.0/16`, `fd00::/8`. */
  readonly destination: string;
  /** The network device that they leave by: its name, or its number. */
  readonly interface: string | number;
  /** The next hop; none for hosts that are reached directly. */
  readonly via?: string | undefined;
  /** Of routes to the same destination the one with the lowest counts. */
  readonly metric?: number | undefined;
  /** Bytes before the packet that a program of type lwt_xmit may use. */
  readonly headroom?: number | undefined;
}

const HOOKS: Partial<Record<BpfProgType, sys.RouteProgram["hook"]>> = {
  [BpfProgType.BPF_PROG_TYPE_LWT_IN]: "in",
  [BpfProgType.BPF_PROG_TYPE_LWT_OUT]: "out",
  [BpfProgType.BPF_PROG_TYPE_LWT_XMIT]: "xmit",
  [BpfProgType.BPF_PROG_TYPE_LWT_SEG6LOCAL]: "seg6local",
};

/**
 * Makes a route whose packets go through a program, of type lwt_in, lwt_out, lwt_xmit or lwt_seg6local.
 *
 * @throws {TypeError} if the program is of another type.
 * @throws {SyntaxError} if an address cannot be read.
 * @throws {sys.SyscallError} if the kernel refuses it: code `EEXIST` if there is such a route.
 */
export function attachLwt(program: BpfProgram, options: AttachLwtOptions): Link {
  const { destination, interface: device, via, metric, headroom } = options;
  const hook = HOOKS[program.type];
  if (hook === undefined) throw new TypeError(`program "${program.name}": it is not of a type that routes have`);
  const { address, length } = parsePrefix(destination);
  return attaching(program, `route to ${destination}`, () => {
    const route: sys.Route = {
      destination: address,
      prefixLength: length,
      ifindex: interfaceIndex(device),
      gateway: via === undefined ? undefined : parseAddress(via),
      metric,
    };
    const programOf = (one: { readonly fd: number; readonly name: string }): sys.RouteProgram => {
      return { hook, progFd: one.fd, name: one.name, headroom };
    };
    sys.routeAdd(route, programOf(program));
    return new Link({
      kind: "lwt",
      target: `route to ${destination}`,
      program: program.name,
      fds: [],
      undo: () => deleteUnlessGone(route),
      update: (next, expected) => {
        if (expected !== undefined) {
          throw new TypeError("the program of a route cannot be expected: the kernel does not tell which one it is");
        }
        sys.routeReplace(route, programOf(next));
      },
    });
  });
}

/** ESRCH: there is no such route. ENODEV: nor the device. */
function deleteUnlessGone(route: sys.Route): void {
  try {
    sys.routeDelete(route);
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || (error.code !== "ESRCH" && error.code !== "ENODEV")) throw error;
  }
}

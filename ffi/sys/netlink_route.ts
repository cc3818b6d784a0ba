/**
 * Routes whose packets go through programs ("lightweight tunnels", 4.10).
 *
 * Facts: linux/rtnetlink.h (`struct rtmsg`), linux/lwtunnel.h, linux/seg6_local.h.
 *
 * @module
 */
import { netlink, NetlinkFlag } from "./netlink.ts";
import { type Attributes, u16 } from "./netlink_message.ts";
import { AddressFamily } from "./socket.ts";

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
/** `struct rtmsg`. */
const RTMSG = { family: 0, dstLen: 1, table: 4, protocol: 5, scope: 6, type: 7, size: 12 } as const;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_UNIVERSE = 0;
const RTN_UNICAST = 1;
const RTA = { dst: 1, oif: 4, gateway: 5, priority: 6, encapType: 21, encap: 22 } as const;
const LWTUNNEL_ENCAP_BPF = 6;
const LWTUNNEL_ENCAP_SEG6_LOCAL = 7;
const LWT_BPF = { in: 1, out: 2, xmit: 3, headroom: 4 } as const;
const LWT_BPF_PROG = { fd: 1, name: 2 } as const;
const SEG6_LOCAL = { action: 1, bpf: 8 } as const;
const SEG6_LOCAL_ACTION_END_BPF = 15;
const SEG6_LOCAL_BPF_PROG = { prog: 1, name: 2 } as const;

/** A route, as far as programs need it. */
export interface Route {
  /** Address: 4 or 16 bytes. */
  readonly destination: Uint8Array;
  /** Bits of `destination` that count. */
  readonly prefixLength: number;
  /** The network device that packets leave by. */
  readonly ifindex: number;
  /** Address of the next hop: 4 or 16 bytes; none for hosts that are reached directly. */
  readonly gateway?: Uint8Array | undefined;
  /** Of routes to the same destination the one with the lowest counts. */
  readonly metric?: number | undefined;
}

/** The program of a route. */
export interface RouteProgram {
  /** Packets that come in, go out, or are about to be sent; `seg6local`: the segment routing header is the program's. */
  readonly hook: "in" | "out" | "xmit" | "seg6local";
  /** The program. */
  readonly progFd: number;
  /** Its name. */
  readonly name: string;
  /** Bytes before the packet that the program may use, for `xmit`. */
  readonly headroom?: number | undefined;
}

/**
 * Adds a route of the main table whose packets a program sees.
 *
 * @throws {SyscallError} if the kernel refuses it: code `EEXIST` if there is a route to that destination.
 */
export function routeAdd(route: Route, program: RouteProgram): void {
  const { NLM_F_CREATE, NLM_F_EXCL } = NetlinkFlag;
  const attributes = { ...attributesOf(route), ...encapsulation(program) };
  const flags = NLM_F_CREATE | NLM_F_EXCL;
  netlink({ name: "RTM_NEWROUTE", type: RTM_NEWROUTE, flags, fixed: rtmsg(route), attributes });
}

/**
 * Puts another program in the place of a route's.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function routeReplace(route: Route, program: RouteProgram): void {
  const { NLM_F_CREATE, NLM_F_REPLACE } = NetlinkFlag;
  const attributes = { ...attributesOf(route), ...encapsulation(program) };
  const flags = NLM_F_CREATE | NLM_F_REPLACE;
  netlink({ name: "RTM_NEWROUTE", type: RTM_NEWROUTE, flags, fixed: rtmsg(route), attributes });
}

/**
 * Removes a route.
 *
 * @throws {SyscallError} if there is none (code `ESRCH`).
 */
export function routeDelete(route: Route): void {
  netlink({ name: "RTM_DELROUTE", type: RTM_DELROUTE, fixed: rtmsg(route), attributes: attributesOf(route) });
}

function attributesOf({ destination, ifindex, gateway, metric }: Route): Attributes {
  return { [RTA.dst]: destination, [RTA.oif]: ifindex, [RTA.gateway]: gateway, [RTA.priority]: metric };
}

function encapsulation({ hook, progFd, name, headroom }: RouteProgram): Attributes {
  if (hook === "seg6local") {
    const bpf = { [SEG6_LOCAL_BPF_PROG.prog]: progFd, [SEG6_LOCAL_BPF_PROG.name]: name };
    return {
      [RTA.encapType]: u16(LWTUNNEL_ENCAP_SEG6_LOCAL),
      [RTA.encap]: { [SEG6_LOCAL.action]: SEG6_LOCAL_ACTION_END_BPF, [SEG6_LOCAL.bpf]: bpf },
    };
  }
  const program = { [LWT_BPF_PROG.fd]: progFd, [LWT_BPF_PROG.name]: name };
  return {
    [RTA.encapType]: u16(LWTUNNEL_ENCAP_BPF),
    [RTA.encap]: { [LWT_BPF[hook]]: program, [LWT_BPF.headroom]: headroom },
  };
}

function rtmsg({ destination, prefixLength, gateway }: Route): Uint8Array {
  const fixed = new Uint8Array(RTMSG.size);
  fixed[RTMSG.family] = destination.length === 4 ? AddressFamily.AF_INET : AddressFamily.AF_INET6;
  fixed[RTMSG.dstLen] = prefixLength;
  fixed[RTMSG.table] = RT_TABLE_MAIN;
  fixed[RTMSG.protocol] = RTPROT_STATIC;
  fixed[RTMSG.scope] = gateway === undefined && destination.length === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  fixed[RTMSG.type] = RTN_UNICAST;
  return fixed;
}

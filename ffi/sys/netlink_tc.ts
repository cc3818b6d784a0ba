/**
 * Traffic control, as far as programs take part in it: the `clsact` qdisc and the `bpf` classifiers on it.
 *
 * Facts: linux/rtnetlink.h (`struct tcmsg`), linux/pkt_sched.h, linux/pkt_cls.h, linux/tc_act/tc_bpf.h.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { SyscallError } from "./errors.ts";
import { netlink, NetlinkFlag } from "./netlink.ts";
import { AttributeReader, type AttributeValue, type NetlinkMessage, u16 } from "./netlink_message.ts";

const RTM = {
  RTM_NEWQDISC: 36,
  RTM_DELQDISC: 37,
  RTM_GETQDISC: 38,
  RTM_NEWTFILTER: 44,
  RTM_DELTFILTER: 45,
  RTM_GETTFILTER: 46,
} as const;
/** `struct tcmsg`; `info` is the priority in the upper half, the protocol in network byte order in the lower. */
const TCMSG = { ifindex: 4, handle: 8, parent: 12, info: 16, size: 20 } as const;
const TCA = { kind: 1, options: 2 } as const;
const TCA_BPF = { act: 1, opsLen: 4, ops: 5, fd: 6, name: 7, flags: 8, tag: 10, id: 11 } as const;
const TCA_BPF_FLAG_ACT_DIRECT = 1;
const TCA_ACT = { kind: 1, options: 2 } as const;
const TCA_ACT_BPF = { parms: 2, fd: 5, name: 6 } as const;
/** `struct tc_act_bpf`: index, capabilities, action, two counts. */
const TC_ACT_BPF = { action: 8, size: 20 } as const;
/** Do as the program says: its result is the verdict. */
const TC_ACT_PIPE = 3;
/** `TC_H_CLSACT`, the parent of the qdisc; its handle is `TC_H_MAKE(TC_H_CLSACT, 0)`. */
const TC_H_CLSACT = 0xffff_fff1;
const CLSACT_HANDLE = 0xffff_0000;
const TC_H_INGRESS = 0xffff_fff2;
const TC_H_EGRESS = 0xffff_fff3;
const ETH_P_ALL = 3;
const LITTLE = HOST_BYTE_ORDER === "little";
/** Classic BPF that takes every packet: `ret #-1`. */
const TAKE_ALL = Uint16Array.of(0x6, 0, 0xffff, 0xffff);

/** Which way packets go: into the device or out of it. */
export type TcDirection = "ingress" | "egress";

/** A `bpf` classifier. */
export interface TcFilter {
  /** Which way. */
  readonly direction: TcDirection;
  /** The lower, the earlier. */
  readonly priority: number;
  /** Its number among those of its priority. */
  readonly handle: number;
  /** `ETH_P_*`. */
  readonly protocol: number;
  /** Its name. */
  readonly name: string;
  /** Id of its program; 0 for classic BPF. */
  readonly progId: number;
  /** Is the program's result the verdict. */
  readonly directAction: boolean;
}

/**
 * Makes the `clsact` qdisc (4.5) of a network device.
 *
 * @returns `false` if it was there already, or an `ingress` qdisc is in its place.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function clsactAdd(ifindex: number): boolean {
  const flags = NetlinkFlag.NLM_F_CREATE | NetlinkFlag.NLM_F_EXCL;
  const fixed = tcmsg(ifindex, TC_H_CLSACT, CLSACT_HANDLE, 0);
  try {
    netlink({ name: "RTM_NEWQDISC", type: RTM.RTM_NEWQDISC, flags, fixed, attributes: { [TCA.kind]: "clsact" } });
    return true;
  } catch (error) {
    if (error instanceof SyscallError && error.code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes the `clsact` qdisc of a network device, with all classifiers on it.
 *
 * @throws {SyscallError} if there is none (code `ENOENT` or `EINVAL`).
 */
export function clsactDelete(ifindex: number): void {
  const fixed = tcmsg(ifindex, TC_H_CLSACT, CLSACT_HANDLE, 0);
  netlink({ name: "RTM_DELQDISC", type: RTM.RTM_DELQDISC, fixed, attributes: { [TCA.kind]: "clsact" } });
}

/**
 * Kinds of the qdiscs of a network device: `noqueue`, `clsact`.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function qdiscs(ifindex: number): string[] {
  const fixed = tcmsg(ifindex, 0, 0, 0);
  const flags = NetlinkFlag.NLM_F_DUMP;
  return netlink({ name: "RTM_GETQDISC", type: RTM.RTM_GETQDISC, flags, fixed })
    .filter(({ body }) => body.getInt32(TCMSG.ifindex, LITTLE) === ifindex)
    .map(({ body }) => new AttributeReader(body, TCMSG.size).text(TCA.kind) ?? "");
}

/** What {@linkcode tcFilterAdd} takes. */
export interface TcFilterRequest {
  /** The network device. */
  readonly ifindex: number;
  /** Which way. */
  readonly direction: TcDirection;
  /** The program. */
  readonly progFd: number;
  /** Name, for people. */
  readonly name: string;
  /** The lower, the earlier; 0, the default, is after all that are there. */
  readonly priority?: number | undefined;
  /** Its number among those of its priority; 0, the default, is a new one. */
  readonly handle?: number | undefined;
  /** `ETH_P_*`, all by default. */
  readonly protocol?: number | undefined;
  /** Put it in the place of the one that has `handle` and `priority`. */
  readonly replace?: boolean | undefined;
  /** The program is an action (`BPF_PROG_TYPE_SCHED_ACT`) that every packet is given to, not a classifier. */
  readonly action?: boolean | undefined;
}

/**
 * Adds a `bpf` classifier in direct-action mode (4.4), or with `action` one that takes every packet and runs the program as
 * its action.
 *
 * @returns Priority and handle that it got.
 * @throws {SyscallError} if the kernel refuses it: code `EEXIST` if there is one with these numbers.
 */
export function tcFilterAdd(request: TcFilterRequest): Pick<TcFilter, "priority" | "handle"> {
  const { ifindex, direction, priority = 0, handle = 0, protocol = ETH_P_ALL, replace = false } = request;
  const { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_ECHO } = NetlinkFlag;
  const answers = netlink({
    name: "RTM_NEWTFILTER",
    type: RTM.RTM_NEWTFILTER,
    // The echo says which numbers it got.
    flags: NLM_F_CREATE | NLM_F_ECHO | (replace ? NLM_F_REPLACE : NLM_F_EXCL),
    fixed: tcmsg(ifindex, parentOf(direction), handle, info(priority, protocol)),
    attributes: {
      [TCA.kind]: "bpf",
      [TCA.options]: request.action === true ? actionOptions(request) : {
        [TCA_BPF.fd]: request.progFd,
        [TCA_BPF.name]: request.name,
        [TCA_BPF.flags]: TCA_BPF_FLAG_ACT_DIRECT,
      },
    },
  });
  const made = answers.find(({ type }) => type === RTM.RTM_NEWTFILTER);
  if (made === undefined) return { priority, handle };
  return {
    priority: made.body.getUint32(TCMSG.info, LITTLE) >>> 16,
    handle: made.body.getUint32(TCMSG.handle, LITTLE),
  };
}

function actionOptions({ progFd, name }: TcFilterRequest): AttributeValue {
  const parms = new Uint8Array(TC_ACT_BPF.size);
  new DataView(parms.buffer).setInt32(TC_ACT_BPF.action, TC_ACT_PIPE, LITTLE);
  const options = { [TCA_ACT_BPF.parms]: parms, [TCA_ACT_BPF.fd]: progFd, [TCA_ACT_BPF.name]: name };
  return {
    [TCA_BPF.opsLen]: u16(1),
    [TCA_BPF.ops]: new Uint8Array(TAKE_ALL.buffer),
    [TCA_BPF.act]: { 1: { [TCA_ACT.kind]: "bpf", [TCA_ACT.options]: options } },
  };
}

/**
 * Removes a classifier.
 *
 * @throws {SyscallError} if there is none (code `ENOENT`).
 */
export function tcFilterDelete(
  ifindex: number,
  filter: Pick<TcFilter, "direction" | "priority" | "handle"> & { readonly protocol?: number },
): void {
  const { direction, priority, handle, protocol = ETH_P_ALL } = filter;
  const fixed = tcmsg(ifindex, parentOf(direction), handle, info(priority, protocol));
  netlink({ name: "RTM_DELTFILTER", type: RTM.RTM_DELTFILTER, fixed, attributes: { [TCA.kind]: "bpf" } });
}

/**
 * The `bpf` classifiers of a network device, in the order in which they run; of others than those of `clsact` none.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function tcFilters(ifindex: number, direction: TcDirection): TcFilter[] {
  return dumpFilters(ifindex, direction).flatMap(({ body }) => filterOf(body, direction));
}

function dumpFilters(ifindex: number, direction: TcDirection): NetlinkMessage[] {
  const fixed = tcmsg(ifindex, parentOf(direction), 0, 0);
  const flags = NetlinkFlag.NLM_F_DUMP;
  try {
    return netlink({ name: "RTM_GETTFILTER", type: RTM.RTM_GETTFILTER, flags, fixed });
  } catch (error) {
    // Newer kernels say so where there is no qdisc.
    if (error instanceof SyscallError && (error.code === "EINVAL" || error.code === "ENOENT")) return [];
    throw error;
  }
}

/**
 * Is there any classifier on `clsact`, of whatever kind.
 *
 * @throws {SyscallError} if the kernel refuses to say.
 */
export function hasTcFilters(ifindex: number): boolean {
  return (["ingress", "egress"] as const).some((direction) => dumpFilters(ifindex, direction).length > 0);
}

function filterOf(body: DataView<ArrayBuffer>, direction: TcDirection): TcFilter[] {
  const attributes = new AttributeReader(body, TCMSG.size);
  const handle = body.getUint32(TCMSG.handle, LITTLE);
  // Each priority is also told without one of its classifiers.
  if (attributes.text(TCA.kind) !== "bpf" || handle === 0) return [];
  const options = attributes.nested(TCA.options);
  const priorityAndProtocol = body.getUint32(TCMSG.info, LITTLE);
  return [{
    direction,
    priority: priorityAndProtocol >>> 16,
    handle,
    protocol: networkOrder(priorityAndProtocol & 0xffff),
    name: options.text(TCA_BPF.name) ?? "",
    progId: options.u32(TCA_BPF.id) ?? 0,
    directAction: ((options.u32(TCA_BPF.flags) ?? 0) & TCA_BPF_FLAG_ACT_DIRECT) !== 0,
  }];
}

function tcmsg(ifindex: number, parent: number, handle: number, info: number): Uint8Array {
  const fixed = new Uint8Array(TCMSG.size);
  const view = new DataView(fixed.buffer);
  view.setInt32(TCMSG.ifindex, ifindex, LITTLE);
  view.setUint32(TCMSG.handle, handle, LITTLE);
  view.setUint32(TCMSG.parent, parent, LITTLE);
  view.setUint32(TCMSG.info, info, LITTLE);
  return fixed;
}

function parentOf(direction: TcDirection): number {
  return direction === "ingress" ? TC_H_INGRESS : TC_H_EGRESS;
}

function info(priority: number, protocol: number): number {
  return ((priority << 16) | networkOrder(protocol)) >>> 0;
}

/** 16 bits the other way round where the host is little-endian. */
function networkOrder(value: number): number {
  return LITTLE ? ((value & 0xff) << 8) | (value >> 8) : value;
}

/**
 * Network devices: their names and numbers, and XDP programs that are attached without a link.
 *
 * Facts: linux/rtnetlink.h, linux/if_link.h.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { Errno } from "./errno.ts";
import { SyscallError } from "./errors.ts";
import { netlink, NetlinkFlag } from "./netlink.ts";
import { AttributeReader, type NetlinkMessage } from "./netlink_message.ts";

const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_EXT_MASK = 29;
/** Leave statistics of virtual functions out, which may not fit a message. */
const RTEXT_FILTER_SKIP_STATS = 1 << 3;
const IFLA_XDP = 43;
const XDP = {
  fd: 1,
  attached: 2,
  flags: 3,
  progId: 4,
  drvProgId: 5,
  skbProgId: 6,
  hwProgId: 7,
  expectedFd: 8,
} as const;
/** `struct ifinfomsg`: family, type, index, flags, change. */
const IFINFO = { index: 4, size: 16 } as const;
const LITTLE = HOST_BYTE_ORDER === "little";

/** Flags of XDP programs (linux/if_link.h). */
export const XdpFlag = {
  /** Fail if there is a program. */
  XDP_FLAGS_UPDATE_IF_NOEXIST: 0x1,
  /** Generic: after the kernel has made a packet buffer. */
  XDP_FLAGS_SKB_MODE: 0x2,
  /** Native: in the driver. */
  XDP_FLAGS_DRV_MODE: 0x4,
  /** In the hardware. */
  XDP_FLAGS_HW_MODE: 0x8,
  /** Only in the place of the expected program. */
  XDP_FLAGS_REPLACE: 0x10,
} as const;

/** XDP programs of a network device, by where they run; ids, 0 for none. */
export interface XdpPrograms {
  /** Native. */
  readonly native: number;
  /** Generic. */
  readonly generic: number;
  /** Hardware. */
  readonly hardware: number;
}

/** A network device. */
export interface NetworkDevice {
  /** Its number, in its network namespace. */
  readonly ifindex: number;
  /** Its name. */
  readonly name: string;
  /** What made it: `veth`, `netkit`, `bridge`; empty for hardware and loopback. */
  readonly kind: string;
  /** Its XDP programs. */
  readonly xdp: XdpPrograms;
}

/**
 * All network devices of this thread's network namespace.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function networkDevices(): NetworkDevice[] {
  const fixed = new Uint8Array(IFINFO.size);
  const attributes = { [IFLA_EXT_MASK]: RTEXT_FILTER_SKIP_STATS };
  const flags = NetlinkFlag.NLM_F_DUMP;
  return netlink({ name: "RTM_GETLINK", type: RTM_GETLINK, flags, fixed, attributes }).map(deviceOf);
}

/**
 * A network device by its name or number.
 *
 * @throws {SyscallError} if there is none in this network namespace: code `ENODEV`.
 */
export function networkDevice(device: string | number): NetworkDevice {
  const attributes = typeof device === "number" ? {} : { [IFLA_IFNAME]: device };
  const fixed = ifinfo(typeof device === "number" ? device : 0);
  try {
    const [answer] = netlink({ name: "RTM_GETLINK", type: RTM_GETLINK, fixed, attributes });
    if (answer !== undefined) return deviceOf(answer);
  } catch (error) {
    // Names that are too long are no valid question: ERANGE. A number may be 0: EINVAL.
    const none = error instanceof SyscallError && ["ENODEV", "ERANGE", "EINVAL"].includes(error.code);
    if (!none) throw error;
  }
  const which = typeof device === "number" ? `of number ${device}` : `"${device}"`;
  const hint = `there is no network device ${which} in this network namespace`;
  throw new SyscallError("netlink(RTM_GETLINK)", Errno.ENODEV, { hint });
}

/** What {@linkcode xdpAttach} takes. */
export interface XdpAttachRequest {
  /** The device. */
  readonly ifindex: number;
  /** The program; -1 to take the one that is there away. */
  readonly progFd: number;
  /** {@linkcode XdpFlag}s. */
  readonly flags?: number | undefined;
  /** The program that has to be there, with `XDP_FLAGS_REPLACE` (5.7). */
  readonly expectedFd?: number | undefined;
}

/**
 * Attaches an XDP program without a link (`RTM_SETLINK` with `IFLA_XDP`, 4.8), or takes it away: it stays with the device
 * until then.
 *
 * @throws {SyscallError} if the kernel refuses it: code `EEXIST` if another program is there than is expected.
 */
export function xdpAttach(request: XdpAttachRequest): void {
  const { ifindex, progFd, flags, expectedFd } = request;
  const attributes = {
    [IFLA_XDP]: { [XDP.fd]: progFd, [XDP.flags]: flags, [XDP.expectedFd]: expectedFd },
  };
  netlink({ name: "RTM_SETLINK", type: RTM_SETLINK, fixed: ifinfo(ifindex), attributes });
}

function ifinfo(ifindex: number): Uint8Array {
  const fixed = new Uint8Array(IFINFO.size);
  new DataView(fixed.buffer).setInt32(IFINFO.index, ifindex, LITTLE);
  return fixed;
}

function deviceOf({ body }: NetlinkMessage): NetworkDevice {
  const attributes = new AttributeReader(body, IFINFO.size);
  return {
    ifindex: body.getInt32(IFINFO.index, LITTLE),
    name: attributes.text(IFLA_IFNAME) ?? "",
    kind: attributes.nested(IFLA_LINKINFO).text(IFLA_INFO_KIND) ?? "",
    xdp: xdpOf(attributes.nested(IFLA_XDP)),
  };
}

/** `IFLA_XDP_ATTACHED`: none, driver, generic, hardware, several. */
const ATTACHED = { native: 1, generic: 2, hardware: 3 } as const;

function xdpOf(xdp: AttributeReader): XdpPrograms {
  const attached = xdp.u8(XDP.attached) ?? 0;
  const only = xdp.u32(XDP.progId) ?? 0;
  const id = (attribute: number, mode: number) => xdp.u32(attribute) ?? (attached === mode ? only : 0);
  return {
    native: id(XDP.drvProgId, ATTACHED.native),
    generic: id(XDP.skbProgId, ATTACHED.generic),
    hardware: id(XDP.hwProgId, ATTACHED.hardware),
  };
}

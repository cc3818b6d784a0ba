/**
 * XDP: programs that see a network device's frames first.
 *
 * By a BPF link since Linux 5.9; by netlink before, where a certain program is to be replaced, and where it shall outlast
 * this process.
 *
 * @module
 */
import type { BpfProgram } from "../program/mod.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";
import { attaching, detachUnlessGone, interfaceIndex, interfaceText } from "./attaching.ts";
import { HeldProgram } from "./held_program.ts";
import { type Attachable, Link } from "./link.ts";

/** Where an XDP program runs: in the driver, after the kernel has made a packet buffer, in the hardware. */
export type XdpMode = "native" | "generic" | "hardware";

/** How an XDP program is attached. */
export interface AttachXdpOptions {
  /** The network device: its name, or its number. */
  readonly interface: string | number;
  /** Where it runs; by default in the driver if that can do it, else generic. */
  readonly mode?: XdpMode | undefined;
  /** More `XDP_FLAGS_*`. */
  readonly flags?: number | undefined;
  /**
   * Take the place of this program, which was attached without a link; fail if another one is there (5.7). (A link's program is
   * replaced by {@linkcode Link.update}.)
   */
  readonly replace?: Attachable | undefined;
  /** `false`: by netlink, without a BPF link. */
  readonly link?: boolean | undefined;
}

const MODE_FLAGS: Readonly<Record<XdpMode, number>> = {
  native: sys.XdpFlag.XDP_FLAGS_DRV_MODE,
  generic: sys.XdpFlag.XDP_FLAGS_SKB_MODE,
  hardware: sys.XdpFlag.XDP_FLAGS_HW_MODE,
};

/**
 * Attaches an XDP program to a network device.
 *
 * Programs of a devmap or cpumap (`SEC("xdp/devmap")`, 5.8) are not attached but put into an element of the map, whose 8 bytes
 * are the device's number, or the queue's size, and the program's file descriptor: with
 * `__type(value, struct { u32 ifindex; int program; })`, `map.set(0, { ifindex, program: program.fd })`.
 *
 * @throws {sys.SyscallError} if the kernel refuses it: code `ENODEV` if there is no such device, `EBUSY` or `EEXIST` if another
 * program is there, `EOPNOTSUPP` if the driver cannot do it.
 */
export function attachXdp(program: BpfProgram, options: AttachXdpOptions): Link {
  const { interface: device, mode, replace, link = replace === undefined } = options;
  const target = interfaceText(device);
  const flags = (options.flags ?? 0) | (mode === undefined ? 0 : MODE_FLAGS[mode]);
  return attaching(program, `XDP on ${target}`, () => {
    const ifindex = interfaceIndex(device);
    if (!link) return attachWithoutLink(program, { ifindex, flags, replace, target });
    try {
      const fd = sys.linkCreate({
        progFd: program.fd,
        targetIfindex: ifindex,
        attachType: BpfAttachType.BPF_XDP,
        flags,
      });
      return new Link({ kind: "xdp", target, program: program.name, fds: [fd], links: [fd] });
    } catch (error) {
      // Before 5.9 there are no such links. What is wrong otherwise netlink says too, in better words.
      if (!(error instanceof sys.SyscallError) || error.code !== "EINVAL") throw error;
      return attachWithoutLink(program, { ifindex, flags, replace, target });
    }
  });
}

interface WithoutLink {
  readonly ifindex: number;
  readonly flags: number;
  readonly replace: Attachable | undefined;
  readonly target: string;
}

function attachWithoutLink(program: BpfProgram, { ifindex, flags, replace, target }: WithoutLink): Link {
  const { XDP_FLAGS_REPLACE, XDP_FLAGS_UPDATE_IF_NOEXIST } = sys.XdpFlag;
  using cleanup = new DisposableStack();
  const held = cleanup.use(new HeldProgram(program));
  const change = (progFd: number, expectedFd: number) => {
    sys.xdpAttach({ ifindex, progFd, expectedFd, flags: flags | XDP_FLAGS_REPLACE });
  };
  if (replace !== undefined) change(program.fd, replace.fd);
  else sys.xdpAttach({ ifindex, progFd: program.fd, flags: flags | XDP_FLAGS_UPDATE_IF_NOEXIST });
  cleanup.move();
  return new Link({
    kind: "xdp",
    target,
    program: program.name,
    fds: [],
    // Another program may be there by now, which is not ours to take away.
    undo: () => held.release((fd) => detachUnlessGone(() => detachOwn(() => change(-1, fd)))),
    update: (next, expected) => held.replace(next, expected, (fd) => change(fd, held.fd)),
  });
}

function detachOwn(detach: () => void): void {
  try {
    detach();
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || error.code !== "EEXIST") throw error;
  }
}

/**
 * Programs of a network device's traffic, each way, in an order of their own: tcx (6.6), and netkit's pair of devices (6.7).
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfAttachFlag, BpfAttachType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { attaching, detachUnlessGone, interfaceIndex, interfaceText, loadedFor } from "./attaching.ts";
import { HeldProgram } from "./held_program.ts";
import { Link, type LinkParts } from "./link.ts";
import { kernelPlacement, type Placement } from "./placement.ts";

/** How a tcx program is attached. */
export interface AttachTcxOptions extends Placement {
  /** The network device: its name, or its number. */
  readonly interface: string | number;
  /** Which way packets go: into the device or out of it; by default as the program's section name says. */
  readonly direction?: sys.TcDirection | undefined;
  /** `false`: without a link; it stays with the device until it is detached. */
  readonly link?: boolean | undefined;
}

/** How a netkit program is attached. */
export interface AttachNetkitOptions extends Placement {
  /** The primary one of the pair of devices: its name, or its number. */
  readonly interface: string | number;
  /** Packets that this device sends, or that its peer sends; by default as the program's section name says. */
  readonly direction?: "primary" | "peer" | undefined;
  /** `false`: without a link; it stays with the device until it is detached. */
  readonly link?: boolean | undefined;
}

const TCX = { ingress: BpfAttachType.BPF_TCX_INGRESS, egress: BpfAttachType.BPF_TCX_EGRESS } as const;
const NETKIT = { primary: BpfAttachType.BPF_NETKIT_PRIMARY, peer: BpfAttachType.BPF_NETKIT_PEER } as const;

/**
 * Attaches a program to a network device's packets by a tcx link, or without. Programs run in their order until one says other than
 * `TCX_NEXT`.
 *
 * @throws {UnsupportedError} if this kernel has no tcx: use {@linkcode attachTc}.
 * @throws {sys.SyscallError} if the kernel refuses it: code `ENODEV` if there is no such device, `ESTALE` if the list has
 * another revision than is expected, `ENOENT` if it is to be before or after what is not there.
 */
export function attachTcx(program: BpfProgram, options: AttachTcxOptions): Link {
  const direction = options.direction ?? directionOf(program, TCX);
  return attachToDevice("tcx", program, options, direction, TCX[direction]);
}

/**
 * Attaches a program to the packets of a netkit pair by a link, as {@linkcode attachTcx}.
 *
 * @throws {UnsupportedError} if this kernel has no netkit.
 * @throws {sys.SyscallError} as {@linkcode attachTcx}; code `ENXIO` if the device is no netkit, `EACCES` if it is the peer of
 * one.
 */
export function attachNetkit(program: BpfProgram, options: AttachNetkitOptions): Link {
  const direction = options.direction ?? directionOf(program, NETKIT);
  return attachToDevice("netkit", program, options, direction, NETKIT[direction]);
}

/** Has this kernel tcx: asked by a question about a device. */
export function hasTcx(ifindex: number): boolean {
  return knows(ifindex, BpfAttachType.BPF_TCX_INGRESS);
}

function attachToDevice(
  kind: "tcx" | "netkit",
  program: BpfProgram,
  options: AttachTcxOptions | AttachNetkitOptions,
  direction: string,
  attachType: BpfAttachType,
): Link {
  const device = interfaceText(options.interface);
  const { flags, relative } = kernelPlacement(options);
  return attaching(program, `${kind} ${direction} of ${device}`, () => {
    const targetIfindex = interfaceIndex(options.interface);
    const about = { kind, target: `${device} ${direction}`, program: program.name };
    try {
      if (options.link === false) {
        return attachWithoutLink(program, { targetIfindex, attachType, flags, relative }, about);
      }
      const fd = sys.linkCreate({ progFd: program.fd, targetIfindex, attachType, flags, relative });
      return new Link({ ...about, fds: [fd], links: [fd] });
    } catch (error) {
      if (!(error instanceof sys.SyscallError) || error.code !== "EINVAL" || knows(targetIfindex, attachType)) {
        throw error;
      }
      const since = kind === "tcx" ? "6.6" : "6.7";
      const instead = kind === "tcx" ? ": use attachTc()" : "";
      const message = `program "${program.name}": this kernel has no ${kind} (Linux ${since})${instead}`;
      throw new UnsupportedError(kind, message, { since, cause: error });
    }
  });
}

interface Place {
  readonly targetIfindex: number;
  readonly attachType: BpfAttachType;
  readonly flags: number;
  readonly relative: sys.RelativeOptions | undefined;
}

function attachWithoutLink(
  program: BpfProgram,
  { targetIfindex, attachType, flags, relative }: Place,
  about: Pick<LinkParts, "kind" | "target" | "program">,
): Link {
  using cleanup = new DisposableStack();
  const held = cleanup.use(new HeldProgram(program));
  const hook = { targetIfindex, attachType };
  sys.progAttach({ ...hook, ...relative, attachBpfFd: program.fd, attachFlags: flags });
  cleanup.move();
  return new Link({
    ...about,
    fds: [],
    undo: () => held.release((attachBpfFd) => detachUnlessGone(() => sys.progDetach({ ...hook, attachBpfFd }))),
    update: (next, expected) => {
      held.replace(next, expected, (attachBpfFd) => {
        const attachFlags = BpfAttachFlag.BPF_F_REPLACE;
        sys.progAttach({ ...hook, attachBpfFd, attachFlags, replaceBpfFd: held.fd });
      });
    },
  });
}

function knows(targetIfindex: number, attachType: BpfAttachType): boolean {
  try {
    sys.progQuery({ targetIfindex, attachType });
    return true;
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    return error.code !== "EINVAL";
  }
}

function directionOf<D extends string>(program: BpfProgram, types: Readonly<Record<D, BpfAttachType>>): D {
  const wanted = loadedFor(program);
  const directions = Object.keys(types) as D[];
  const found = directions.find((direction) => types[direction] === wanted);
  if (found !== undefined) return found;
  const choice = directions.map((direction) => `"${direction}"`).join(" or ");
  throw new TypeError(`program "${program.name}": it was not loaded for a direction: give one, ${choice}`);
}

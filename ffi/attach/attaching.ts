/**
 * What attaching to network devices, sockets and cgroups has in common.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import { type BpfAttachType, BpfProgType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import type { Attachable } from "./link.ts";

/** Does `action`; what the kernel refuses is told with the program and where it was to be attached. */
export function attaching<T>(program: Attachable, target: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    throw error.at(`program "${program.name}", ${target}`);
  }
}

/**
 * The attach type that a program was loaded for; `undefined` of a program that was not loaded here, and for none. (0 is both
 * none and `BPF_CGROUP_INET_INGRESS`: programs of packets of a cgroup are for that, as libbpf has it.)
 */
export function loadedFor(program: BpfProgram): BpfAttachType | undefined {
  let expected: BpfAttachType | 0;
  try {
    expected = program.image.expectedAttachType;
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
  return expected !== 0 || program.type === BpfProgType.BPF_PROG_TYPE_CGROUP_SKB ? expected : undefined;
}

/** The network device: by name or number, in the network namespace of this thread. */
export function interfaceIndex(device: string | number): number {
  return typeof device === "number" ? device : sys.networkDevice(device).ifindex;
}

/** `interface "eth0"`, `interface 3`. */
export function interfaceText(device: string | number): string {
  return typeof device === "number" ? `interface ${device}` : `interface "${device}"`;
}

/** Runs `detach`, which may find that what the program was on is gone already. */
export function detachUnlessGone(detach: () => void): void {
  try {
    detach();
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || !GONE.has(error.code)) throw error;
  }
}

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENODEV"]);

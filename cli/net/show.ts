/**
 * Programs of network devices and of this network namespace, in bpftool's words.
 *
 * @module
 */
import { queryHook } from "../../ffi/attach/mod.ts";
import { listLinks } from "../../ffi/info/mod.ts";
import {
  type NetworkDevice,
  networkDevice,
  networkDevices,
  progGetFdById,
  progInfo,
  SyscallError,
  tcFilters,
} from "../../ffi/sys/mod.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import { EXIT } from "../command.ts";
import type { Output } from "../output.ts";

/** Lists of programs with an order of their own, by bpftool's names. */
const LISTS: readonly (readonly [kind: string, attachType: BpfAttachType])[] = [
  ["tcx/ingress", BpfAttachType.BPF_TCX_INGRESS],
  ["tcx/egress", BpfAttachType.BPF_TCX_EGRESS],
  ["netkit/primary", BpfAttachType.BPF_NETKIT_PRIMARY],
  ["netkit/peer", BpfAttachType.BPF_NETKIT_PEER],
];

/** A line of the listing: what is printed as JSON, and as text. */
interface Entry {
  readonly json: object;
  readonly text: string;
}

/** Prints the programs of all devices, or of one. */
export function showNet(device: string | undefined, output: Output): number {
  const devices = device === undefined ? networkDevices() : [networkDevice(device)];
  const parts: Record<string, Entry[]> = {
    xdp: devices.flatMap(xdpEntries),
    tc: devices.flatMap((device) => [...listEntries(device), ...classicEntries(device)]),
    flow_dissector: flowDissector(),
    netfilter: netfilter(),
  };
  if (output.json) {
    const json = Object.entries(parts).map(([name, entries]) => [name, entries.map((entry) => entry.json)]);
    output.value([Object.fromEntries(json)]);
    return EXIT.done;
  }
  for (const [name, entries] of Object.entries(parts)) {
    output.line(`${name}:`);
    for (const { text } of entries) output.line(text);
    output.line();
  }
  return EXIT.done;
}

function xdpEntries({ name, ifindex, xdp }: NetworkDevice): Entry[] {
  const modes = [["driver", xdp.native], ["generic", xdp.generic], ["offload", xdp.hardware]] as const;
  return modes.filter(([, id]) => id !== 0).map(([mode, id]) => ({
    json: { devname: name, ifindex, mode, id },
    text: `${name}(${ifindex}) ${mode} id ${id}`,
  }));
}

function listEntries({ name, ifindex, kind: deviceKind }: NetworkDevice): Entry[] {
  return LISTS.flatMap(([kind, attachType]) => {
    if (kind.startsWith("netkit") && deviceKind !== "netkit") return [];
    return programsOf(ifindex, attachType).map(({ id, linkId }) => {
      const program = programName(id);
      return {
        json: {
          devname: name,
          ifindex,
          kind,
          name: program,
          prog_id: id,
          prog_flags: [],
          ...(linkId === 0 ? {} : { link_id: linkId, link_flags: [] }),
        },
        text: `${name}(${ifindex}) ${kind} ${program} prog_id ${id}${linkId === 0 ? "" : ` link_id ${linkId}`}`,
      };
    });
  });
}

/** None on kernels without tcx, and of a netkit device that is the peer of the one that has them. */
function programsOf(ifindex: number, attachType: BpfAttachType) {
  try {
    return queryHook({ interface: ifindex, attachType }).programs;
  } catch (error) {
    if (error instanceof SyscallError && ["EINVAL", "ENODEV", "ENXIO", "EACCES"].includes(error.code)) return [];
    throw error;
  }
}

function classicEntries({ name, ifindex }: NetworkDevice): Entry[] {
  return (["ingress", "egress"] as const).flatMap((direction) =>
    tcFilters(ifindex, direction).filter(({ progId }) => progId !== 0).map((filter) => ({
      json: { devname: name, ifindex, kind: `clsact/${direction}`, name: filter.name, id: filter.progId },
      text: `${name}(${ifindex}) clsact/${direction} ${filter.name} id ${filter.progId}`,
    }))
  );
}

function flowDissector(): Entry[] {
  const { programs } = queryHook({ netns: undefined, attachType: BpfAttachType.BPF_FLOW_DISSECTOR });
  return programs.map(({ id }) => ({ json: { id }, text: `id ${id}` }));
}

/** Of all network namespaces: the kernel does not say of which a link is. */
function netfilter(): Entry[] {
  return [...listLinks()].flatMap((link) => {
    if (link.kind !== "netfilter") return [];
    const { pf, hooknum: hook, priority: prio, flags, progId: id } = link;
    return [{
      json: { pf, hook, prio, flags, id },
      text: `pf ${pf} hook ${hook} prio ${prio} flags ${flags} prog_id ${id}`,
    }];
  });
}

function programName(id: number): string {
  using fd = progGetFdById(id);
  return progInfo(fd.value).name;
}

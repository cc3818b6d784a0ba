/**
 * All ways to attach to devices, sockets, network namespaces and cgroups, for tests of what they leave; and the kernel's lists
 * of what is attached to them.
 *
 * @module
 */
import {
  attachCgroup,
  attachFlowDissector,
  attachLwt,
  attachNetfilter,
  attachReuseport,
  attachSkLookup,
  attachSocketFilter,
  attachSockmap,
  attachTc,
  attachTcx,
  attachXdp,
  type Hook,
  type Link,
  queryHook,
} from "../../ffi/attach/mod.ts";
import { Collection } from "../../ffi/collection/mod.ts";
import type { BpfProgram } from "../../ffi/program/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import { hasFeature } from "../support/features.ts";
import { inNetns, TestSocket } from "../support/net.ts";
import { objectSpec } from "./support.ts";

/** Programs of both objects, and a socket; in a network namespace and with a cgroup. */
export class NetworkWays implements Disposable {
  readonly #resources = new DisposableStack();
  readonly #network: Collection;
  readonly #cgroup: Collection;
  readonly #socket: TestSocket;
  readonly #path: string;

  /** @param path The cgroup. */
  constructor(path: string) {
    this.#path = path;
    this.#network = this.#load("network", [
      "xdp_count",
      "dissect",
      "choose_socket",
      "filter",
      "message",
      ...(hasFeature("tcx") ? ["tcx_first"] : []),
      ...(hasFeature("clsact") ? ["classify"] : []),
      ...(hasFeature("netfilterLinks") ? ["filter_hook"] : []),
      ...(hasFeature("routePrograms") ? ["route_out"] : []),
    ]);
    this.#cgroup = this.#load("cgroup", ["ingress", "egress"]);
    this.#socket = this.#resources.use(TestSocket.open(2, 2));
    sys.setSocketOption(this.#socket.fd, 1, 15, 1);
    this.#socket.bind(Uint8Array.of(2, 0, 30, 97, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0));
  }

  #load(object: string, names: readonly string[]): Collection {
    const spec = objectSpec("clang19", object);
    for (const program of spec.programs.values()) program.autoload = names.includes(program.name);
    return this.#resources.use(Collection.load(spec));
  }

  /** Those that go with the process, by name. */
  get byLink(): ReadonlyMap<string, () => Link> {
    const program = (name: string): BpfProgram => this.#network.program(name);
    const path = this.#path;
    return new Map<string, () => Link>([
      ["XDP", () => attachXdp(program("xdp_count"), { interface: "lo", mode: "generic" })],
      ["sk_lookup", () => attachSkLookup(program("choose_socket"))],
      ["flow dissector", () => attachFlowDissector(program("dissect"))],
      ["cgroup", () => attachCgroup(this.#cgroup.program("ingress"), { path })],
      ["socket filter on a device", () => attachSocketFilter(program("filter"), { interface: "lo" })],
      ["socket filter", () => attachSocketFilter(program("filter"), { socket: this.#socket.fd })],
      ["reuseport", () => attachReuseport(program("filter"), { socket: this.#socket.fd })],
      ["sockmap", () => attachSockmap(program("message"), this.#network.map("sockets"))],
      ...(hasFeature("tcx")
        ? [["tcx", () => attachTcx(program("tcx_first"), { interface: "lo", before: "all" })] as const]
        : []),
      ...(hasFeature("netfilterLinks")
        ? [
          [
            "netfilter",
            () => attachNetfilter(program("filter_hook"), { family: "ipv4", hook: "forward", priority: 9 }),
          ] as const,
        ]
        : []),
    ]);
  }

  /** Those that stay when the process is killed. */
  get byHand(): ReadonlyMap<string, () => Link> {
    const program = (name: string): BpfProgram => this.#network.program(name);
    const path = this.#path;
    return new Map<string, () => Link>([
      ["XDP by netlink", () => attachXdp(program("xdp_count"), { interface: "lo", mode: "generic", link: false })],
      ["cgroup without a link", () => attachCgroup(this.#cgroup.program("egress"), { path, mode: "override" })],
      ...(hasFeature("tcx")
        ? [["tcx without a link", () => attachTcx(program("tcx_first"), { interface: "lo", link: false })] as const]
        : []),
      ...(hasFeature("clsact")
        ? [
          [
            "classifier",
            () => attachTc(program("classify"), { interface: "lo", direction: "ingress", classic: true }),
          ] as const,
        ]
        : []),
      ...(hasFeature("routePrograms")
        ? [["route", () => attachLwt(program("route_out"), { destination: "10.2.0.0/16", interface: "lo" })] as const]
        : []),
    ]);
  }

  /** What is attached, by the kernel's lists. */
  lists(): Record<string, unknown> {
    return { ...networkLists(), ...cgroupLists(this.#path), sockmap: this.#idsOfSockmap() };
  }

  #idsOfSockmap(): number[] {
    return ids({ map: this.#network.map("sockets"), attachType: BpfAttachType.BPF_SK_MSG_VERDICT });
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}

function ids(hook: Hook): number[] {
  try {
    return queryHook(hook).programs.map(({ id }) => id);
  } catch (error) {
    if (error instanceof sys.SyscallError && error.code === "EINVAL") return [];
    throw error;
  }
}

/** What is attached in this thread's network namespace. */
export function networkLists(): Record<string, unknown> {
  const netns = undefined;
  return {
    xdp: sys.networkDevice("lo").xdp,
    qdiscs: sys.qdiscs(1),
    ingress: sys.tcFilters(1, "ingress"),
    egress: sys.tcFilters(1, "egress"),
    tcx: ids({ interface: "lo", attachType: BpfAttachType.BPF_TCX_INGRESS }),
    skLookup: ids({ netns, attachType: BpfAttachType.BPF_SK_LOOKUP }),
    flowDissector: ids({ netns, attachType: BpfAttachType.BPF_FLOW_DISSECTOR }),
    routes: sys.readTextFile("/proc/thread-self/net/route").split("\n").filter((line) =>
      line.startsWith("lo\t0000020A")
    ),
    packetSockets: sys.readTextFile("/proc/thread-self/net/packet").trim().split("\n").length - 1,
  };
}

/** What is attached to a cgroup. */
export function cgroupLists(cgroup: string): Record<string, unknown> {
  return {
    cgroupIngress: ids({ cgroup, attachType: BpfAttachType.BPF_CGROUP_INET_INGRESS }),
    cgroupEgress: ids({ cgroup, attachType: BpfAttachType.BPF_CGROUP_INET_EGRESS }),
  };
}

/** Runs `test` in a network namespace of its own. */
export function withWays(path: string, test: (ways: NetworkWays) => void): void {
  inNetns(() => {
    using ways = new NetworkWays(path);
    test(ways);
  });
}

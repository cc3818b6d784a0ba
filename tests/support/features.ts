/**
 * Features of kernels that tests need, each found by trying; a version only says where a kernel that lacks it is wrong.
 *
 * @module
 */
import { cgroup2Mount } from "../../ffi/attach/mod.ts";
import { hostBtf } from "../../ffi/btf/mod.ts";
import { kernelConfig } from "../../ffi/host/mod.ts";
import { Collection, openCollectionSpec } from "../../ffi/collection/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { DebpfError } from "../../lib/errors.ts";
import { BtfBuilder } from "../../lib/btf/mod.ts";
import {
  BpfAttachFlag,
  BpfAttachType,
  BpfFuncId,
  BpfMapFlag,
  BpfMapType,
  BpfProgFlag,
  BpfProgType,
  BtfKind,
  PerfReadFormat,
  PerfSoftware,
  PerfType,
} from "../../lib/uapi/mod.ts";
import { inRepository } from "./paths.ts";
import { EXTERN_FEATURES } from "./extern_features.ts";
import { INSTRUCTION_FEATURES } from "./instruction_features.ts";
import { TRACING_FEATURES } from "./tracing_features.ts";
import { USER_FEATURES } from "./user_features.ts";
import { inNetns, makeNetkit, makeVeth } from "./net.ts";

/** A feature that kernels learned later than Linux 5.10, or may be built without. */
export interface KernelFeature {
  /** What it is called. */
  readonly words: string;
  /** The version that has it, `5.17`. */
  readonly since: string;
  /** The option that a kernel is built without where it lacks the feature all the same: `CONFIG_FPROBE`. */
  readonly config?: string;
  /** New kernels may be built or started without it: then it is no mistake that it is missing. */
  readonly mayBeOff?: boolean;
  /** Whether this kernel has it. */
  readonly has: () => boolean;
}

/** Features by the name that tests ask for them with. */
export const FEATURES = {
  bpfLoop: {
    words: "the helper bpf_loop",
    since: "5.17",
    has: () => knowsHelper(BpfFuncId.BPF_FUNC_loop),
  },
  percpuLookup: {
    words: "the helper bpf_map_lookup_percpu_elem",
    since: "5.19",
    has: () => knowsHelper(BpfFuncId.BPF_FUNC_map_lookup_percpu_elem),
  },
  takeFromHash: {
    words: "BPF_MAP_LOOKUP_AND_DELETE_ELEM of hash maps",
    since: "5.14",
    has: takesFromHash,
  },
  syscallPrograms: {
    words: "programs of type syscall",
    since: "5.14",
    has: () => loads({ progType: BpfProgType.BPF_PROG_TYPE_SYSCALL, progFlags: SLEEPABLE }),
  },
  taskStorage: {
    words: "maps of type task storage",
    since: "5.11",
    has: () => createsStorage(BpfMapType.BPF_MAP_TYPE_TASK_STORAGE),
  },
  bloomFilter: {
    words: "maps of type bloom filter",
    since: "5.16",
    has: () => creates({ mapType: BpfMapType.BPF_MAP_TYPE_BLOOM_FILTER, keySize: 0, valueSize: 4, maxEntries: 1 }),
  },
  cgroupStorage: {
    words: "maps of type cgrp storage",
    since: "6.2",
    has: () => createsStorage(BpfMapType.BPF_MAP_TYPE_CGRP_STORAGE),
  },
  arena: {
    words: "maps of type arena",
    since: "6.9",
    has: () =>
      creates({
        mapType: BpfMapType.BPF_MAP_TYPE_ARENA,
        keySize: 0,
        valueSize: 0,
        maxEntries: 1,
        mapFlags: BpfMapFlag.BPF_F_MMAPABLE,
      }),
  },
  tokens: {
    words: "BPF tokens",
    since: "6.9",
    // Of no file at all; a kernel that lacks the command does not get so far.
    has: () => attempted(() => sys.tokenCreate(-1).close())?.code === "EBADF",
  },
  exclusiveMaps: {
    words: "maps for one program only (excl_prog_hash)",
    since: "6.18",
    has: () =>
      creates({
        mapType: BpfMapType.BPF_MAP_TYPE_ARRAY,
        keySize: 4,
        valueSize: 4,
        maxEntries: 1,
        exclProgHash: new Uint8Array(32),
      }),
  },
  vethModule: {
    words: "the module veth, with its BTF",
    since: "5.11",
    has: () => sys.exists("/sys/kernel/btf/veth"),
  },
  perfLost: {
    words: "the format PERF_FORMAT_LOST of perf events",
    since: "6.0",
    has: () => attempted(() => dummyEvent({ readFormat: PerfReadFormat.PERF_FORMAT_LOST }).close()) === undefined,
  },
  userRingBuffer: {
    words: "maps of type user ring buffer",
    since: "6.1",
    has: () =>
      creates({ mapType: BpfMapType.BPF_MAP_TYPE_USER_RINGBUF, keySize: 0, valueSize: 0, maxEntries: 1 << 16 }),
  },
  overwriteRing: {
    words: "ring buffers in overwrite mode",
    since: "6.19",
    has: () =>
      creates({
        mapType: BpfMapType.BPF_MAP_TYPE_RINGBUF,
        keySize: 0,
        valueSize: 0,
        maxEntries: 1 << 16,
        mapFlags: BpfMapFlag.BPF_F_RB_OVERWRITE,
      }),
  },
  programStreams: {
    words: "streams of programs (BPF_PROG_STREAM_READ_BY_FD)",
    since: "6.17",
    has: () => {
      using program = load({ progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER });
      return attempted(() => sys.progStreamRead(program.value, 1, new Uint8Array(16))) === undefined;
    },
  },
  streamPrint: {
    words: "the kernel function bpf_stream_vprintk_impl, and memory for it",
    since: "6.18",
    has: () => runs("program_stream", "say"),
    // The memory is had only where the allocator may be entered anywhere, which machines and builds decide.
    mayBeOff: true,
  },
  iterMapElements: {
    words: "iterators over the elements of a map",
    since: "5.9",
    has: () => runs("iterators", "elements"),
  },
  perfLinks: {
    words: "links of perf events",
    since: "5.15",
    has: perfLinks,
  },
  insnArray: {
    words: "maps of instructions (jump tables)",
    since: "6.19",
    has: () => creates({ mapType: BpfMapType.BPF_MAP_TYPE_INSN_ARRAY, keySize: 4, valueSize: 16, maxEntries: 1 }),
  },
  structOps: {
    words: "struct_ops of TCP congestion control",
    since: "5.6",
    has: () => createsCongestionControl(0),
  },
  sleepableStructOps: {
    words: "sleepable struct_ops programs (bpf_dummy_ops)",
    since: "6.3",
    has: hasSleepableDummy,
  },
  structOpsLinks: {
    words: "links of struct_ops",
    since: "6.4",
    has: () => createsCongestionControl(BpfMapFlag.BPF_F_LINK),
  },
  veth: {
    words: "pairs of network devices (veth)",
    since: "2.6",
    has: () => inOwnNetns(() => makeVeth("a", "b")),
  },
  clsact: {
    words: "the clsact qdisc and bpf classifiers",
    since: "4.5",
    has: () => inOwnNetns(() => addsClassifier({ progType: BpfProgType.BPF_PROG_TYPE_SCHED_CLS })),
  },
  bpfActions: {
    words: "bpf actions of traffic control",
    since: "4.5",
    has: () => inOwnNetns(() => addsClassifier({ progType: BpfProgType.BPF_PROG_TYPE_SCHED_ACT })),
  },
  tcx: {
    words: "tcx",
    since: "6.6",
    has: () => knowsHook({ targetIfindex: 1, attachType: BpfAttachType.BPF_TCX_INGRESS }),
  },
  netkit: {
    words: "pairs of netkit devices",
    since: "6.7",
    has: () => inOwnNetns(() => makeNetkit("a", "b")),
  },
  netfilterLinks: {
    words: "links of netfilter",
    since: "6.4",
    has: () => inOwnNetns(attachesToNetfilter),
  },
  xdpFrags: {
    words: "XDP programs that take packets of several buffers",
    since: "5.18",
    has: () => loads({ progType: BpfProgType.BPF_PROG_TYPE_XDP, progFlags: BpfProgFlag.BPF_F_XDP_HAS_FRAGS }),
  },
  sockmapVerdicts: {
    words: "verdicts of sockmaps without a parser",
    since: "5.13",
    has: () => {
      const expectedAttachType = BpfAttachType.BPF_SK_SKB_VERDICT;
      const map = { mapType: BpfMapType.BPF_MAP_TYPE_SOCKMAP, keySize: 4, valueSize: 4, maxEntries: 1 };
      using program = load({ progType: BpfProgType.BPF_PROG_TYPE_SK_SKB, expectedAttachType });
      using target = sys.mapCreate(map);
      const request = { targetFd: target.value, attachBpfFd: program.value, attachType: expectedAttachType };
      return attempted(() => sys.progAttach(request)) === undefined;
    },
  },
  sockmapQueries: {
    words: "lists of the programs of a sockmap",
    since: "5.17",
    has: () => {
      const map = { mapType: BpfMapType.BPF_MAP_TYPE_SOCKMAP, keySize: 4, valueSize: 4, maxEntries: 1 };
      using target = sys.mapCreate(map);
      return knowsHook({ targetFd: target.value, attachType: BpfAttachType.BPF_SK_MSG_VERDICT });
    },
  },
  sockmapLinks: {
    words: "links of sockmaps",
    since: "6.10",
    has: attachesToSockmap,
  },
  routePrograms: {
    words: "programs of routes (lwt)",
    since: "4.10",
    has: () => inOwnNetns(addsRoute),
  },
  segmentRoutes: {
    words: "programs of segment routing (lwt_seg6local)",
    since: "4.18",
    has: () => inOwnNetns(addsSegmentRoute),
  },
  cgroupUnix: {
    words: "programs of Unix sockets of a cgroup",
    since: "6.7",
    has: () =>
      loads({
        progType: BpfProgType.BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
        expectedAttachType: BpfAttachType.BPF_CGROUP_UNIX_CONNECT,
        insns: Uint8Array.from([0xb7, 0, 0, 0, 1, 0, 0, 0, ...RETURN_0.slice(8)]),
      }),
  },
  orderedCgroups: {
    words: "an order among the programs of a cgroup (BPF_F_BEFORE, BPF_F_AFTER)",
    since: "6.16",
    has: ordersCgroups,
  },
  ...TRACING_FEATURES,
  ...USER_FEATURES,
  ...EXTERN_FEATURES,
  ...INSTRUCTION_FEATURES,
} as const satisfies Record<string, KernelFeature>;

/** Name of a feature. */
export type FeatureName = keyof typeof FEATURES;

const known = new Map<FeatureName, boolean>();

/** Whether the running kernel has a feature; it is asked once. */
export function hasFeature(name: FeatureName): boolean {
  const had = known.get(name) ?? FEATURES[name].has();
  known.set(name, had);
  return had;
}

/**
 * Whether the running kernel is at least as new as the version that has a feature, and not known to be built without it: then
 * it has to have it.
 */
export function shouldHave(name: FeatureName): boolean {
  const feature: KernelFeature = FEATURES[name];
  if (feature.mayBeOff) return false;
  const { since, config }: KernelFeature = FEATURES[name];
  const options = config === undefined ? undefined : kernelConfig().text;
  if (options !== undefined && !options.split("\n").includes(`${config}=y`)) return false;
  const [wanted, running] = [since, Deno.osRelease()].map((version) => version.split(/[.-]/).map(Number));
  const [major = 0, minor = 0] = wanted ?? [];
  const [ownMajor = 0, ownMinor = 0] = running ?? [];
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** `BPF_F_SLEEPABLE`: programs of type syscall have to be. */
const SLEEPABLE = 1 << 4;
/** `r0 = 0; exit` */
const RETURN_0 = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];

type Program = Partial<sys.ProgLoadOptions> & Pick<sys.ProgLoadOptions, "progType">;

function load(program: Program): sys.Fd {
  return sys.progLoad({ insns: Uint8Array.from(RETURN_0), license: "GPL", ...program });
}

function loads(program: Program): boolean {
  return attempted(() => load(program).close()) === undefined;
}

/** The verifier complains of the arguments of a helper that it knows, and of the number of another one. */
function knowsHelper(id: number): boolean {
  const insns = Uint8Array.from([0x85, 0, 0, 0, id & 0xff, id >> 8, 0, 0, ...RETURN_0]);
  const log = new Uint8Array(1 << 16);
  const error = attempted(() => load({ progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER, insns, log }).close());
  const text = new TextDecoder().decode(log);
  return error === undefined || !/(invalid|unknown) func/.test(text);
}

function creates(map: sys.MapCreateRequest): boolean {
  return attempted(() => sys.mapCreate(map).close()) === undefined;
}

/** Such maps have to have BTF: `int` for keys and values. */
function createsStorage(mapType: BpfMapType): boolean {
  using btf = sys.btfLoad({ btf: intBtf().encode() });
  const types = { btfFd: btf.value, btfKeyTypeId: 1, btfValueTypeId: 1 };
  return creates({
    mapType,
    keySize: 4,
    valueSize: 4,
    maxEntries: 0,
    mapFlags: BpfMapFlag.BPF_F_NO_PREALLOC,
    ...types,
  });
}

/** The kernel's own struct_ops for tests has a member for them. */
function hasSleepableDummy(): boolean {
  const type = hostBtf().find("bpf_dummy_ops", BtfKind.Struct);
  return type?.kind === BtfKind.Struct && type.members.some(({ name }) => name === "test_sleepable");
}

/** BTF of nothing but `int`, which is type 1. */
function intBtf(): BtfBuilder {
  const builder = new BtfBuilder();
  const int = { kind: BtfKind.Int, id: 0, name: "int", size: 4, signed: true, char: false, bool: false } as const;
  builder.add({ ...int, offsetBits: 0, bits: 32 });
  return builder;
}

/** A map of `struct tcp_congestion_ops`. */
function createsCongestionControl(mapFlags: number): boolean {
  const type = hostBtf().find("bpf_struct_ops_tcp_congestion_ops", BtfKind.Struct);
  if (type?.kind !== BtfKind.Struct) return false;
  using btf = sys.btfLoad({ btf: intBtf().encode() });
  return creates({
    mapType: BpfMapType.BPF_MAP_TYPE_STRUCT_OPS,
    keySize: 4,
    valueSize: type.size,
    maxEntries: 1,
    mapFlags,
    btfFd: btf.value,
    btfVmlinuxValueTypeId: type.id,
  });
}

/** In an empty map nothing is found; without the command for this type, not even that. */
function takesFromHash(): boolean {
  using map = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_HASH, keySize: 4, valueSize: 4, maxEntries: 1 });
  return attempted(() => new sys.MapElements(map, 4, 4).lookupAndDelete()) === undefined;
}

function dummyEvent(more: Partial<sys.PerfEventAttr>): sys.Fd {
  const type = PerfType.PERF_TYPE_SOFTWARE;
  const config = PerfSoftware.PERF_COUNT_SW_DUMMY;
  return sys.perfEventOpen({ type, config, samplePeriod: 1e9, disabled: true, ...more }, { cpu: 0 });
}

/** A kernel without such links takes the perf event's file descriptor for a cgroup's, or knows no attach type. */
function perfLinks(): boolean {
  using program = load({ progType: BpfProgType.BPF_PROG_TYPE_PERF_EVENT });
  using event = dummyEvent({});
  const attachType = BpfAttachType.BPF_PERF_EVENT;
  return attempted(() => sys.linkCreate({ progFd: program.value, targetFd: event.value, attachType }).close()) ===
    undefined;
}

/** Whether `action` succeeds in a network namespace of its own. */
function inOwnNetns(action: () => void): boolean {
  return attempted(() => inNetns(action)) === undefined;
}

/** Puts a program on the loopback device, as a classifier or as the action of one. */
function addsClassifier(kind: Program): void {
  using program = load(kind);
  const action = kind.progType === BpfProgType.BPF_PROG_TYPE_SCHED_ACT;
  sys.clsactAdd(1);
  sys.tcFilterAdd({ ifindex: 1, direction: "ingress", progFd: program.value, name: "probe", action });
}

/** Of an attach type that it does not know a kernel says EINVAL. */
function knowsHook(hook: sys.ProgQueryOptions): boolean {
  return attempted(() => sys.progQuery(hook))?.code !== "EINVAL";
}

function attachesToNetfilter(): void {
  const attachType = BpfAttachType.BPF_NETFILTER;
  // Only NF_DROP (0) and NF_ACCEPT (1) are allowed.
  using program = load({ progType: BpfProgType.BPF_PROG_TYPE_NETFILTER, expectedAttachType: attachType });
  sys.linkCreate({ progFd: program.value, attachType, netfilter: { pf: 2, hooknum: 1, priority: 1 } }).close();
}

function attachesToSockmap(): boolean {
  const attachType = BpfAttachType.BPF_SK_MSG_VERDICT;
  return attempted(() => {
    using map = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_SOCKMAP, keySize: 4, valueSize: 4, maxEntries: 1 });
    using program = load({ progType: BpfProgType.BPF_PROG_TYPE_SK_MSG, expectedAttachType: attachType });
    sys.linkCreate({ progFd: program.value, targetFd: map.value, attachType }).close();
  }) === undefined;
}

function addsRoute(): void {
  using program = load({ progType: BpfProgType.BPF_PROG_TYPE_LWT_OUT });
  const route = { destination: Uint8Array.of(10, 0, 0, 0), prefixLength: 8, ifindex: 1 };
  sys.routeAdd(route, { hook: "out", progFd: program.value, name: "probe" });
}

function addsSegmentRoute(): void {
  using program = load({ progType: BpfProgType.BPF_PROG_TYPE_LWT_SEG6LOCAL });
  const route = {
    destination: Uint8Array.from([0xfd, ...new Array<number>(15).fill(0)]),
    prefixLength: 128,
    ifindex: 1,
  };
  sys.routeAdd(route, { hook: "seg6local", progFd: program.value, name: "probe" });
}

/** In a cgroup that no process is in: the program forbids things. */
function ordersCgroups(): boolean {
  const path = `${cgroup2Mount()}/debpf-probe-${Deno.pid}`;
  sys.mkdir(path);
  const error = attempted(() => {
    using cgroup = sys.open(path);
    using program = load({ progType: BpfProgType.BPF_PROG_TYPE_CGROUP_SOCK });
    const attachType = BpfAttachType.BPF_CGROUP_INET_SOCK_CREATE;
    const flags = BpfAttachFlag.BPF_F_BEFORE;
    sys.linkCreate({ progFd: program.value, targetFd: cgroup.value, attachType, flags, relative: {} }).close();
  });
  sys.rmdir(path);
  return error === undefined;
}

/** Loads one program of an object of testdata; runs it, if it is one that can be run so. */
function runs(object: string, name: string): boolean {
  const spec = openCollectionSpec(inRepository("testdata", "clang19", `${object}.bpf.o`));
  for (const program of spec.programs.values()) program.autoload = program.name === name;
  try {
    using collection = Collection.load(spec);
    const program = collection.program(name);
    return program.type !== BpfProgType.BPF_PROG_TYPE_SYSCALL ||
      program.run({ ctx: new Uint8Array(8) }).returnValue < 2 ** 31;
  } catch (error) {
    if (error instanceof DebpfError || error instanceof sys.SyscallError) return false;
    throw error;
  }
}

function attempted(action: () => void): sys.SyscallError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof sys.SyscallError) return error;
    throw error;
  }
}

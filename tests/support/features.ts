/**
 * Features of kernels that tests need, each found by trying; a version only says where a kernel that lacks it is wrong.
 *
 * @module
 */
import * as sys from "../../ffi/sys/mod.ts";
import { BtfBuilder } from "../../lib/btf/mod.ts";
import {
  BpfAttachType,
  BpfFuncId,
  BpfMapFlag,
  BpfMapType,
  BpfProgType,
  BtfKind,
  PerfSoftware,
  PerfType,
} from "../../lib/uapi/mod.ts";

/** A feature that kernels learned later than Linux 5.10, or may be built without. */
export interface KernelFeature {
  /** What it is called. */
  readonly words: string;
  /** The version that has it, `5.17`. */
  readonly since: string;
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
  perfLinks: {
    words: "links of perf events",
    since: "5.15",
    has: perfLinks,
  },
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

/** Whether the running kernel is at least as new as the version that has a feature: then it has to have it. */
export function shouldHave(name: FeatureName): boolean {
  const [wanted, running] = [FEATURES[name].since, Deno.osRelease()].map((version) =>
    version.split(/[.-]/).map(Number)
  );
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
  const builder = new BtfBuilder();
  const int = { kind: BtfKind.Int, id: 0, name: "int", size: 4, signed: true, char: false, bool: false } as const;
  const type = builder.add({ ...int, offsetBits: 0, bits: 32 });
  using btf = sys.btfLoad({ btf: builder.encode() });
  const types = { btfFd: btf.value, btfKeyTypeId: type, btfValueTypeId: type };
  return creates({
    mapType,
    keySize: 4,
    valueSize: 4,
    maxEntries: 0,
    mapFlags: BpfMapFlag.BPF_F_NO_PREALLOC,
    ...types,
  });
}

/** In an empty map nothing is found; without the command for this type, not even that. */
function takesFromHash(): boolean {
  using map = sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_HASH, keySize: 4, valueSize: 4, maxEntries: 1 });
  return attempted(() => new sys.MapElements(map, 4, 4).lookupAndDelete()) === undefined;
}

/** A kernel without such links takes the perf event's file descriptor for a cgroup's, or knows no attach type. */
function perfLinks(): boolean {
  using program = load({ progType: BpfProgType.BPF_PROG_TYPE_PERF_EVENT });
  const type = PerfType.PERF_TYPE_SOFTWARE;
  using event = sys.perfEventOpen(
    { type, config: PerfSoftware.PERF_COUNT_SW_DUMMY, samplePeriod: 1e9, disabled: true },
    {
      cpu: 0,
    },
  );
  const attachType = BpfAttachType.BPF_PERF_EVENT;
  return attempted(() => sys.linkCreate({ progFd: program.value, targetFd: event.value, attachType }).close()) ===
    undefined;
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

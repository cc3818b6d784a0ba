/**
 * What is attached to a hook, in its order.
 *
 * @module
 */
import { type BpfAttachType, BpfQueryFlag } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";
import { interfaceIndex } from "./attaching.ts";
import { cgroupPath } from "./cgroup_path.ts";

/** Where programs are attached. */
export type Hook =
  | {
    /** A cgroup: an absolute path, or one below the root of cgroup version 2. */
    readonly cgroup: string;
    /** `BPF_CGROUP_*`. */
    readonly attachType: BpfAttachType;
    /** All programs that run for the cgroup, also those of the cgroups above. */
    readonly effective?: boolean | undefined;
  }
  | {
    /** A network device, by name or number. */
    readonly interface: string | number;
    /** `BPF_TCX_*`, `BPF_NETKIT_*`. */
    readonly attachType: BpfAttachType;
  }
  | {
    /** A network namespace, by path; `undefined` is this thread's. */
    readonly netns: string | undefined;
    /** `BPF_SK_LOOKUP`, `BPF_FLOW_DISSECTOR`. */
    readonly attachType: BpfAttachType;
  }
  | {
    /** A sockmap or sockhash. */
    readonly map: { readonly fd: number };
    /** `BPF_SK_SKB_*`, `BPF_SK_MSG_VERDICT`. */
    readonly attachType: BpfAttachType;
  };

/** A program on a hook. */
export interface HookProgram {
  /** Its id. */
  readonly id: number;
  /** Id of its link; 0 without one, and where the kernel does not tell. */
  readonly linkId: number;
  /** `BPF_F_ALLOW_MULTI`, `BPF_F_ALLOW_OVERRIDE`, `BPF_F_PREORDER` of a cgroup's program. */
  readonly flags: number;
}

/** Programs of a hook. */
export interface HookPrograms {
  /** In the order in which they run. */
  readonly programs: readonly HookProgram[];
  /** Number of the list, which grows with each change; 0 where the hook has none. */
  readonly revision: bigint;
}

/**
 * The programs of a hook, for `expectedRevision` and to place others.
 *
 * @throws {sys.SyscallError} if the kernel refuses it: code `EINVAL` if it does not know the attach type.
 */
export function queryHook(hook: Hook): HookPrograms {
  using cleanup = new DisposableStack();
  const { attachType } = hook;
  if ("interface" in hook) {
    return programsOf(sys.progQuery({ targetIfindex: interfaceIndex(hook.interface), attachType, withLinkIds: true }));
  }
  if ("cgroup" in hook) {
    const targetFd = cleanup.use(sys.open(cgroupPath(hook.cgroup))).value;
    if (hook.effective === true) {
      return programsOf(sys.progQuery({ targetFd, attachType, queryFlags: BpfQueryFlag.BPF_F_QUERY_EFFECTIVE }));
    }
    // LSM programs of a cgroup are told only with the flags of each.
    return withFlags(targetFd, attachType);
  }
  if ("map" in hook) return programsOf(sys.progQuery({ targetFd: hook.map.fd, attachType }));
  const targetFd = cleanup.use(sys.open(hook.netns ?? "/proc/thread-self/ns/net")).value;
  return programsOf(sys.progQuery({ targetFd, attachType }));
}

/** Kernels before 6.0 know the flags of the whole list only. */
function withFlags(targetFd: number, attachType: BpfAttachType): HookPrograms {
  try {
    return programsOf(sys.progQuery({ targetFd, attachType, withProgAttachFlags: true }));
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || error.code !== "EINVAL") throw error;
    return programsOf(sys.progQuery({ targetFd, attachType }));
  }
}

function programsOf({ progIds, progAttachFlags, linkIds, attachFlags, revision }: sys.ProgQueryResult): HookPrograms {
  const programs = Array.from(progIds, (id, index) => {
    return { id, linkId: linkIds[index] ?? 0, flags: progAttachFlags[index] ?? attachFlags };
  });
  return { programs, revision };
}

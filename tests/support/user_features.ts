/**
 * Features of kernels that tests of tracing user programs need, each found by trying.
 *
 * @module
 */
import * as sys from "../../ffi/sys/mod.ts";
import { BpfAttachType, BpfProgFlag, BpfProgType } from "../../lib/uapi/mod.ts";

/** `r0 = 0; exit` */
const RETURN_0 = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

/** By the name that tests ask for them with; the shape is that of `KernelFeature`. */
export const USER_FEATURES = {
  uprobeMulti: {
    words: "links of many uprobes",
    since: "6.6",
    has: () => linksMany(BpfAttachType.BPF_TRACE_UPROBE_MULTI),
  },
  uprobeSession: {
    words: "uprobe sessions",
    since: "6.13",
    has: () => linksMany(BpfAttachType.BPF_TRACE_UPROBE_SESSION),
  },
  uprobeMultiPid: {
    words: "links of many uprobes of one process",
    since: "6.10",
    has: () =>
      linksMany(BpfAttachType.BPF_TRACE_UPROBE_MULTI) &&
      linkError(BpfAttachType.BPF_TRACE_UPROBE_MULTI, 0xffff_ffff) === "EINVAL",
  },
  sleepableUprobes: {
    words: "sleepable programs on uprobes",
    since: "6.0",
    has: sleepableUprobes,
  },
} as const;

/** A kernel that has such links finds that there are no probes in a folder. */
function linksMany(attachType: BpfAttachType): boolean {
  return linkError(attachType, 0) === "EBADF";
}

function linkError(attachType: BpfAttachType, pid: number): string {
  try {
    using program = sys.progLoad({
      progType: BpfProgType.BPF_PROG_TYPE_KPROBE,
      expectedAttachType: attachType,
      insns: RETURN_0,
      license: "GPL",
    });
    const uprobeMulti = { path: "/", offsets: new BigUint64Array(1), pid };
    sys.linkCreate({ progFd: program.value, attachType, uprobeMulti }).close();
    return "";
  } catch (error) {
    if (error instanceof sys.SyscallError) return error.code;
    throw error;
  }
}

function sleepableUprobes(): boolean {
  try {
    sys.progLoad({
      progType: BpfProgType.BPF_PROG_TYPE_KPROBE,
      progFlags: BpfProgFlag.BPF_F_SLEEPABLE,
      insns: RETURN_0,
      license: "GPL",
    }).close();
    return true;
  } catch (error) {
    if (error instanceof sys.SyscallError) return false;
    throw error;
  }
}

/**
 * Features of kernels that tests of tracing need: probes, hooks and iterators, each found by attaching something.
 *
 * @module
 */
import { hostBtf, VMLINUX_BTF } from "../../ffi/btf/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { BpfAttachType, BpfProgFlag, BpfProgType, BtfKind, PerfType } from "../../lib/uapi/mod.ts";

/** `r0 = 0; exit` */
const RETURN_0 = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
/** A function that every kernel has, and that takes four arguments in each. */
const FUNCTION = "vfs_fallocate";
const COOKIE = 0x1234n;

const { BPF_PROG_TYPE_KPROBE: KPROBE, BPF_PROG_TYPE_TRACING: TRACING, BPF_PROG_TYPE_LSM: LSM } = BpfProgType;

/** By the name that tests ask for them with; the shape is that of `KernelFeature`. */
export const TRACING_FEATURES = {
  kprobes: {
    words: "kprobes by perf_event_open(2)",
    since: "4.17",
    has: () => sys.exists("/sys/bus/event_source/devices/kprobe/type"),
  },
  kprobeEvents: {
    words: "kprobe_events of tracefs",
    since: "4.1",
    has: () => sys.exists("/sys/kernel/tracing/kprobe_events"),
  },
  kprobeMulti: {
    words: "links of many kprobes",
    since: "5.18",
    config: "CONFIG_FPROBE",
    has: () => linksMany(BpfAttachType.BPF_TRACE_KPROBE_MULTI),
  },
  kprobeSession: {
    words: "kprobe sessions",
    since: "6.10",
    config: "CONFIG_FPROBE",
    has: () => linksMany(BpfAttachType.BPF_TRACE_KPROBE_SESSION),
  },
  fentry: {
    words: "fentry programs",
    since: "5.5",
    has: () => traces(BpfAttachType.BPF_TRACE_FENTRY),
  },
  fsession: {
    words: "fsession programs",
    since: "7.0",
    mayBeOff: true,
    has: () => traces(BpfAttachType.BPF_TRACE_FSESSION),
  },
  tracingMulti: {
    words: "fentry of many functions",
    since: "7.2",
    mayBeOff: true,
    has: () =>
      attempted(() => {
        const expectedAttachType = BpfAttachType.BPF_TRACE_FENTRY_MULTI;
        using program = load({ progType: TRACING, expectedAttachType });
        const tracingMulti = { ids: Uint32Array.of(functionId(FUNCTION) ?? 0) };
        sys.linkCreate({ progFd: program.value, attachType: expectedAttachType, tracingMulti }).close();
      }),
  },
  sleepableFentry: {
    words: "sleepable fentry programs",
    since: "6.3",
    mayBeOff: true,
    has: () => traces(BpfAttachType.BPF_TRACE_FENTRY, { name: "bpf_fentry_test1", sleepable: true }),
  },
  freplace: {
    words: "programs that replace functions of others",
    since: "5.6",
    // What stands in their way is what stands in fentry's: trampolines.
    has: () => traces(BpfAttachType.BPF_TRACE_FENTRY),
  },
  tracingCookies: {
    words: "cookies of fentry and LSM programs",
    since: "5.19",
    has: () => traces(BpfAttachType.BPF_TRACE_FENTRY, { cookie: COOKIE }),
  },
  rawTracepointCookies: {
    words: "cookies of raw tracepoints",
    since: "6.10",
    has: () =>
      attempted(() => {
        using program = load({ progType: BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT });
        sys.rawTracepointOpen({ progFd: program.value, name: "sched_process_exec", cookie: COOKIE }).close();
      }),
  },
  bpfLsm: {
    words: "LSM programs (lsm=...,bpf)",
    since: "5.7",
    mayBeOff: true,
    has: () =>
      activeLsms().includes("bpf") &&
      traces(BpfAttachType.BPF_LSM_MAC, { progType: LSM, name: "bpf_lsm_inode_mkdir" }),
  },
  lsmCgroup: {
    words: "LSM programs of cgroups",
    since: "6.0",
    mayBeOff: true,
    has: () => activeLsms().includes("bpf") && loadsFor("bpf_lsm_socket_bind", LSM, BpfAttachType.BPF_LSM_CGROUP),
  },
  mapIter: {
    words: "iterators of maps' elements",
    since: "5.9",
    has: () => loadsFor("bpf_iter_bpf_map_elem", TRACING, BpfAttachType.BPF_TRACE_ITER),
  },
  cgroupIter: {
    words: "iterators of cgroups, parameters of task iterators",
    since: "6.1",
    has: () => functionId("bpf_iter_cgroup") !== undefined,
  },
  syscallTracepoints: {
    words: "tracepoints of system calls",
    since: "4.17",
    has: () => sys.exists("/sys/kernel/tracing/events/syscalls/sys_enter_getpgid"),
  },
  perfCookies: {
    words: "cookies of perf events",
    since: "5.15",
    has: tracepointCookie,
  },
} as const;

function activeLsms(): string[] {
  const path = "/sys/kernel/security/lsm";
  return sys.exists(path) ? sys.readTextFile(path).trim().split(",") : [];
}

function functionId(name: string): number | undefined {
  return sys.exists(VMLINUX_BTF) ? hostBtf().findIds(name, BtfKind.Func)[0] : undefined;
}

function load(program: Partial<sys.ProgLoadOptions> & Pick<sys.ProgLoadOptions, "progType">): sys.Fd {
  return sys.progLoad({ insns: RETURN_0, license: "GPL", ...program });
}

function attempted(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof sys.SyscallError) return false;
    throw error;
  }
}

function linksMany(attachType: BpfAttachType): boolean {
  return attempted(() => {
    using program = load({ progType: KPROBE, expectedAttachType: attachType });
    sys.linkCreate({ progFd: program.value, attachType, kprobeMulti: { syms: [FUNCTION] } }).close();
  });
}

function loadsFor(name: string, progType: BpfProgType, expectedAttachType: BpfAttachType): boolean {
  const attachBtfId = functionId(name);
  return attachBtfId !== undefined && attempted(() => load({ progType, expectedAttachType, attachBtfId }).close());
}

interface Traced {
  readonly name?: string;
  readonly progType?: BpfProgType;
  readonly cookie?: bigint;
  readonly sleepable?: boolean;
}

/** Loads and attaches for a moment. */
function traces(expectedAttachType: BpfAttachType, traced: Traced = {}): boolean {
  const { name = FUNCTION, progType = TRACING, cookie, sleepable = false } = traced;
  const attachBtfId = functionId(name);
  if (attachBtfId === undefined) return false;
  const progFlags = sleepable ? BpfProgFlag.BPF_F_SLEEPABLE : 0;
  return attempted(() => {
    using program = load({ progType, expectedAttachType, attachBtfId, progFlags });
    const progFd = program.value;
    if (cookie === undefined) sys.rawTracepointOpen({ progFd }).close();
    else sys.linkCreate({ progFd, attachType: expectedAttachType, tracing: { cookie } }).close();
  });
}

function tracepointCookie(): boolean {
  const path = "/sys/kernel/tracing/events/sched/sched_process_exec/id";
  if (!sys.exists(path)) return false;
  return attempted(() => {
    using program = load({ progType: BpfProgType.BPF_PROG_TYPE_TRACEPOINT });
    const config = Number(sys.readTextFile(path));
    using event = sys.perfEventOpen({ type: PerfType.PERF_TYPE_TRACEPOINT, config }, { pid: -1, cpu: 0 });
    const attachType = BpfAttachType.BPF_PERF_EVENT;
    const perfEvent = { bpfCookie: COOKIE };
    sys.linkCreate({ progFd: program.value, targetFd: event.value, attachType, perfEvent }).close();
  });
}

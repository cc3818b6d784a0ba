/**
 * Features of kernels that tests of externs need, each found by trying.
 *
 * @module
 */
import { hostBtf } from "../../ffi/btf/mod.ts";
import * as sys from "../../ffi/sys/mod.ts";
import { BpfProgType, BtfKind } from "../../lib/uapi/mod.ts";

/** `r0 = 0; exit` */
const RETURN_0 = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
const [CALL, KFUNC_CALL, LD_IMM64, BTF_ID] = [0x85, 2, 0x18, 3];
/** `BPF_F_SLEEPABLE`: programs of type syscall have to be. */
const SLEEPABLE = 1 << 4;

/** By the name that tests ask for them with; the shape is that of `KernelFeature`. */
export const EXTERN_FEATURES = {
  taskKfuncs: {
    words: "kernel functions for tasks in programs of type syscall",
    since: "6.12",
    has: () => callable("bpf_task_from_pid"),
  },
  cpumaskKfuncs: {
    words: "kernel functions for masks of CPUs in programs of type syscall",
    since: "6.12",
    has: () => callable("bpf_cpumask_create"),
  },
  kfuncAddresses: {
    words: "addresses of kernel functions in programs",
    since: "6.4",
    has: () => loadable(BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER, "schedule", BtfKind.Func),
  },
  conntrackKfuncs: {
    words: "connection tracking with functions for programs, in the kernel or as a loaded module",
    since: "6.4",
    has: () => sys.exists("/sys/kernel/btf/nf_conntrack") || idOf("bpf_skb_ct_lookup", BtfKind.Func) !== undefined,
  },
  perCpuVariables: {
    words: "per-CPU variables of the kernel in programs, in its BTF, and CONFIG_KALLSYMS_ALL",
    since: "6.1",
    has: () => loadable(BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT, "runqueues", BtfKind.Var),
  },
} as const;

/** The verifier knows the function, and complains of something else. */
function callable(name: string): boolean {
  const id = idOf(name, BtfKind.Func);
  if (id === undefined) return false;
  const insns = Uint8Array.from([CALL, KFUNC_CALL << 4, 0, 0, ...bytesOf(id), ...RETURN_0]);
  const log = new Uint8Array(1 << 16);
  try {
    sys.progLoad({
      progType: BpfProgType.BPF_PROG_TYPE_SYSCALL,
      progFlags: SLEEPABLE,
      license: "GPL",
      insns,
      log,
    }).close();
    return true;
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    const text = new TextDecoder().decode(log);
    return /^\d+: \(85\)/m.test(text) && !/not allowed|not supported|invalid kernel function/.test(text);
  }
}

function loadable(progType: BpfProgType, name: string, kind: BtfKind): boolean {
  const id = idOf(name, kind);
  if (id === undefined) return false;
  const load = [LD_IMM64, BTF_ID << 4 | 1, 0, 0, ...bytesOf(id), 0, 0, 0, 0, 0, 0, 0, 0];
  try {
    sys.progLoad({ progType, license: "GPL", insns: Uint8Array.from([...load, ...RETURN_0]) }).close();
    return true;
  } catch (error) {
    if (error instanceof sys.SyscallError) return false;
    throw error;
  }
}

function idOf(name: string, kind: BtfKind): number | undefined {
  return sys.exists("/sys/kernel/btf/vmlinux") ? hostBtf().findIds(name, kind)[0] : undefined;
}

/** A number of 32 bits in this machine's order. */
function bytesOf(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/**
 * What older kernels lack, and loading does without: found by trying, and asked once. Loading tries without asking first,
 * so none of this costs anything in a kernel that has it all.
 *
 * @module
 */
import type { KernelFeature } from "../../lib/linker/mod.ts";
import { BtfBuilder, type FuncProtoType, type FuncType, INT_TYPE } from "../../lib/btf/mod.ts";
import { BpfAttachType, BpfFuncId, BpfMapFlag, BpfMapType, BpfProgType, BtfKind } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";
import { missingBtfFeatures } from "./btf.ts";

/** `r0 = 0; exit` */
const RETURN_0: readonly number[] = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
/** `r1 = r10; r1 += -8; r2 = 8; r3 = 0; call probe_read_kernel` */
const PROBE_READ: readonly number[] = [
  ...[0xbf, 0xa1, 0, 0, 0, 0, 0, 0],
  ...[0x07, 0x01, 0, 0, 0xf8, 0xff, 0xff, 0xff],
  ...[0xb7, 0x02, 0, 0, 8, 0, 0, 0],
  ...[0xb7, 0x03, 0, 0, 0, 0, 0, 0],
  ...[0x85, 0, 0, 0, BpfFuncId.BPF_FUNC_probe_read_kernel, 0, 0, 0],
];

/** Whether the kernel has a feature, by loading the least that needs it. */
const PROBES: Readonly<Record<KernelFeature, () => boolean>> = {
  btf: () => takesBtf(),
  btf_func: () => takesBtf() && !missingBtfFeatures().has("func"),
  object_names: () => loads({ progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER, progName: "debpf_name" }),
  expected_attach_type: () =>
    loads({
      progType: BpfProgType.BPF_PROG_TYPE_CGROUP_SOCK,
      expectedAttachType: BpfAttachType.BPF_CGROUP_INET_SOCK_CREATE,
    }),
  global_data: hasGlobalData,
  arg_ctx_tag: hasContextTag,
  direct_value_range: hasDirectValueRange,
  array_mmap: () => attempt(() => createArray({ mapFlags: BpfMapFlag.BPF_F_MMAPABLE }).close()),
  probe_read_kernel: () =>
    loads({ progType: BpfProgType.BPF_PROG_TYPE_TRACEPOINT, insns: Uint8Array.from([...PROBE_READ, ...RETURN_0]) }),
};

/** `BPF_PSEUDO_CALL` of linux/bpf.h. */
const BPF_PSEUDO_CALL = 1;
const CONTEXT_PROTO: FuncProtoType = {
  kind: BtfKind.FuncProto,
  id: 0,
  name: "",
  returns: INT_TYPE,
  params: [{
    name: "ctx",
    type: { kind: BtfKind.Ptr, id: 0, name: "", target: { kind: BtfKind.Unknown, id: 0, name: "" } },
  }],
};
/** `int user(void *ctx)`, which calls `int taker(void *ctx)`. */
const CONTEXT_USER: FuncType = { kind: BtfKind.Func, id: 0, name: "user", target: CONTEXT_PROTO, linkage: "global" };
const CONTEXT_TAKER: FuncType = { kind: BtfKind.Func, id: 0, name: "taker", target: CONTEXT_PROTO, linkage: "global" };

let missing: ReadonlySet<KernelFeature> | undefined;

/**
 * The features that this kernel lacks.
 *
 * @throws {sys.SyscallError} if this process may not load anything: that says nothing about the kernel.
 */
export function missingKernelFeatures(): ReadonlySet<KernelFeature> {
  missing ??= new Set((Object.keys(PROBES) as KernelFeature[]).filter((feature) => !PROBES[feature]()));
  return missing;
}

/** Without `BPF_BTF_LOAD` not even the oldest BTF is taken; the error is that of an unknown command. */
function takesBtf(): boolean {
  return attempt(() => sys.btfLoad({ btf: INT_BTF }).close());
}

/** BTF of one type: a header of 24 bytes, `int`, and strings. */
const INT_BTF: Uint8Array = Uint8Array.from([
  ...[0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0],
  ...[1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 32, 0, 0, 1],
  ...[0, 0x69, 0x6e, 0x74, 0],
]);

function hasGlobalData(): boolean {
  return attempt(() => {
    using map = createArray({});
    const fd = map.value;
    const loadValue = [0x18, 0x21, 0, 0, fd & 0xff, fd >> 8 & 0xff, fd >> 16 & 0xff, fd >> 24, 0, 0, 0, 0, 16, 0, 0, 0];
    const store = [0x7a, 0x01, 0, 0, 42, 0, 0, 0];
    const insns = Uint8Array.from([...loadValue, ...store, ...RETURN_0]);
    tryLoad({ progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER, insns }).close();
  });
}

/** A kernel that does not know the tag cannot tell what a `void *` of a global function is, and refuses it. */
function hasContextTag(): boolean {
  return takesBtf() && attempt(() => {
    const builder = new BtfBuilder();
    const main = builder.add(CONTEXT_USER);
    const called = builder.add(CONTEXT_TAKER);
    builder.add({ kind: BtfKind.DeclTag, id: 0, name: "arg:ctx", target: CONTEXT_TAKER, componentIndex: 0 });
    using btf = sys.btfLoad({ btf: builder.encode() });
    // call of what is behind the exit; exit; r0 = 0; exit
    const call = [0x85, BPF_PSEUDO_CALL << 4, 0, 0, 1, 0, 0, 0];
    tryLoad({
      progType: BpfProgType.BPF_PROG_TYPE_XDP,
      insns: Uint8Array.from([...call, ...RETURN_0.slice(8), ...RETURN_0]),
      progBtfFd: btf.value,
      funcInfo: new Uint8Array(Uint32Array.of(0, main, 2, called).buffer),
    }).close();
  });
}

/** A kernel without it says so of an offset of 2^29 or more; any other only finds that it lies outside of the value. */
function hasDirectValueRange(): boolean {
  using map = createArray({});
  const fd = map.value;
  const load = [0x18, 0x21, 0, 0, fd & 0xff, fd >> 8 & 0xff, fd >> 16 & 0xff, fd >> 24, 0, 0, 0, 0, 0, 0, 0, 1 << 6];
  const log = new Uint8Array(1 << 16);
  const insns = Uint8Array.from([...load, ...RETURN_0]);
  attempt(() => tryLoad({ progType: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER, insns, log }).close());
  return !new TextDecoder().decode(log).includes("direct value offset");
}

function createArray(more: Partial<sys.MapCreateRequest>): sys.Fd {
  return sys.mapCreate({ mapType: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 32, maxEntries: 1, ...more });
}

type Program = Partial<sys.ProgLoadOptions> & Pick<sys.ProgLoadOptions, "progType">;

function tryLoad(program: Program): sys.Fd {
  return sys.progLoad({ insns: Uint8Array.from(RETURN_0), license: "GPL", ...program });
}

function loads(program: Program): boolean {
  return attempt(() => tryLoad(program).close());
}

/** False for what the kernel does not know; what this process may not do at all says nothing about the kernel. */
function attempt(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof sys.SyscallError && error.code !== "EPERM" && error.code !== "ENOMEM") return false;
    throw error;
  }
}

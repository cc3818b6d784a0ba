/**
 * Arguments of global functions that are the program's context (`__arg_ctx`, a declaration tag `arg:ctx`). Kernels before 6.8 do
 * not know the tag, but take a pointer to the struct that a program type's context is named after; so for them that is what
 * such an argument is. The rules are libbpf 1.8's.
 *
 * @module
 */
import type { Instruction } from "../asm/mod.ts";
import {
  type BtfType,
  type DeclTagType,
  FUNC_INFO,
  type FuncProtoType,
  type FuncType,
  type PtrType,
  skipModifiers,
  skipModifiersAndTypedefs,
} from "../btf/mod.ts";
import { FUNC_TAGS, type ProgramSpec } from "../spec/mod.ts";
import { BpfProgType, BtfKind } from "../uapi/mod.ts";
import type { MissingFeatures } from "./kernel_features.ts";

const ARG_CTX = "arg:ctx";

/** The struct that the verifier knows a program type's context by (bpf_ctx_convert of kernel/bpf/btf.c); others have none. */
const CONTEXTS: ReadonlyMap<BpfProgType, string> = new Map<BpfProgType, string>([
  [BpfProgType.BPF_PROG_TYPE_CGROUP_DEVICE, "bpf_cgroup_dev_ctx"],
  [BpfProgType.BPF_PROG_TYPE_CGROUP_SKB, "__sk_buff"],
  [BpfProgType.BPF_PROG_TYPE_CGROUP_SOCK, "bpf_sock"],
  [BpfProgType.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "bpf_sock_addr"],
  [BpfProgType.BPF_PROG_TYPE_CGROUP_SOCKOPT, "bpf_sockopt"],
  [BpfProgType.BPF_PROG_TYPE_CGROUP_SYSCTL, "bpf_sysctl"],
  [BpfProgType.BPF_PROG_TYPE_FLOW_DISSECTOR, "__sk_buff"],
  [BpfProgType.BPF_PROG_TYPE_KPROBE, "bpf_user_pt_regs_t"],
  [BpfProgType.BPF_PROG_TYPE_LWT_IN, "__sk_buff"],
  [BpfProgType.BPF_PROG_TYPE_LWT_OUT, "__sk_buff"],
  [BpfProgType.BPF_PROG_TYPE_LWT_SEG6LOCAL, "__sk_buff"],
  [BpfProgType.BPF_PROG_TYPE_LWT_XMIT, "__sk_buff"],
  [BpfProgType.BPF_PROG_TYPE_NETFILTER, "bpf_nf_ctx"],
  [BpfProgType.BPF_PROG_TYPE_PERF_EVENT, "bpf_perf_event_data"],
  [BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT, "bpf_raw_tracepoint_args"],
  [BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, "bpf_raw_tracepoint_args"],
  [BpfProgType.BPF_PROG_TYPE_SCHED_ACT, "__sk_buff"],
  [BpfProgType.BPF_PROG_TYPE_SCHED_CLS, "__sk_buff"],
  [BpfProgType.BPF_PROG_TYPE_SK_LOOKUP, "bpf_sk_lookup"],
  [BpfProgType.BPF_PROG_TYPE_SK_MSG, "sk_msg_md"],
  [BpfProgType.BPF_PROG_TYPE_SK_REUSEPORT, "sk_reuseport_md"],
  [BpfProgType.BPF_PROG_TYPE_SK_SKB, "__sk_buff"],
  [BpfProgType.BPF_PROG_TYPE_SOCK_OPS, "bpf_sock_ops"],
  [BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER, "__sk_buff"],
  [BpfProgType.BPF_PROG_TYPE_XDP, "xdp_md"],
]);

/** Pointers to empty structs of those names: each is in the BTF once, however many functions take it. */
const POINTERS: ReadonlyMap<string, PtrType> = new Map(
  [...new Set(CONTEXTS.values())].map((name) => [
    name,
    { kind: BtfKind.Ptr, id: 0, name: "", target: { kind: BtfKind.Struct, id: 0, name, size: 0, members: [] } },
  ]),
);

/** What registers are in a kprobe's context, by the architecture of the kernel. */
const REGISTERS: ReadonlySet<string> = new Set(["pt_regs", "user_pt_regs", "user_regs_struct"]);

/**
 * `insns` whose global functions take the context as a kernel without the tag wants it.
 *
 * @param insns A linked program: the first instruction of each function has its type and tags.
 */
export function withContextArguments(
  program: ProgramSpec,
  insns: readonly Instruction[],
  missing: MissingFeatures,
): readonly Instruction[] {
  const context = CONTEXTS.get(program.type);
  if (context === undefined || !missing.has("arg_ctx_tag")) return insns;
  return insns.map((insn) => {
    const func = insn.get(FUNC_INFO);
    const tags = insn.get(FUNC_TAGS);
    if (func?.linkage !== "global" || tags === undefined) return insn;
    const changed = changedFunction(func, tags, program.type, context);
    if (changed === undefined) return insn;
    return insn.with(FUNC_INFO, changed).with(FUNC_TAGS, tags.map((tag) => ({ ...copyOf(tag), target: changed })));
  });
}

/** A tag as a value of its own: those of a BTF decode what they refer to when asked. */
function copyOf({ name, componentIndex, target }: DeclTagType): DeclTagType {
  return { kind: BtfKind.DeclTag, id: 0, name, componentIndex, target };
}

/** The function with a pointer to the context in place of its tagged arguments; `undefined` if they are right already. */
function changedFunction(
  func: FuncType,
  tags: readonly DeclTagType[],
  type: BpfProgType,
  context: string,
): FuncType | undefined {
  const proto = func.target;
  if (proto.kind !== BtfKind.FuncProto) return undefined;
  const tagged = new Set(tags.filter(({ name }) => name === ARG_CTX).map(({ componentIndex }) => componentIndex));
  const wrong = proto.params.map((param, index) => tagged.has(index) && isToBeChanged(param.type, type, context));
  if (!wrong.includes(true)) return undefined;
  const params = proto.params.map((param, index) => ({
    name: param.name,
    type: wrong[index] ? POINTERS.get(context)! : param.type,
  }));
  const target: FuncProtoType = { kind: BtfKind.FuncProto, id: 0, name: "", returns: proto.returns, params };
  return { kind: BtfKind.Func, id: 0, name: func.name, linkage: func.linkage, target };
}

/** Is an argument of a type that stands for the context, but that only newer kernels take for it. */
function isToBeChanged(argument: BtfType, type: BpfProgType, context: string): boolean {
  const pointer = skipModifiersAndTypedefs(argument);
  if (pointer.kind !== BtfKind.Ptr) return false;
  const named = skipModifiers(pointer.target);
  const ofRegisters = type === BpfProgType.BPF_PROG_TYPE_KPROBE || type === BpfProgType.BPF_PROG_TYPE_PERF_EVENT;
  if (ofRegisters && named.kind === BtfKind.Typedef && named.name === "bpf_user_pt_regs_t") return false;
  const target = skipModifiersAndTypedefs(named);
  if (target.kind === BtfKind.Unknown) return true;
  const isStruct = target.kind === BtfKind.Struct;
  if (isStruct && target.name === context) return false;
  switch (type) {
    case BpfProgType.BPF_PROG_TYPE_KPROBE:
      return isStruct && target.name === "pt_regs";
    case BpfProgType.BPF_PROG_TYPE_PERF_EVENT:
      return isStruct && REGISTERS.has(target.name);
    case BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT:
    case BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
      return target.kind === BtfKind.Int && target.size === 8;
    default:
      return false;
  }
}

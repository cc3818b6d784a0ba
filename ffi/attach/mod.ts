/**
 * Attaching programs: each function makes a {@linkcode Link}.
 *
 * @module
 */
export { type Attachable, Link, type LinkKind, type LinkParts, type LinkUpdateOptions } from "./link.ts";
export { type UpdatedOrAttached, updateOrAttach } from "./update_or_attach.ts";
export { attachFreplace, type AttachFreplaceOptions } from "./freplace.ts";
export { attachIter, type AttachIterOptions, type CgroupIterOrder } from "./iter.ts";
export { attachKprobe, type AttachKprobeOptions } from "./kprobe.ts";
export { attachKprobeMulti, type AttachKprobeMultiOptions } from "./kprobe_multi.ts";
export { attachKsyscall, type AttachKsyscallOptions } from "./ksyscall.ts";
export { attachLsmCgroup } from "./lsm_cgroup.ts";
export { attachRawTracepoint, type AttachRawTracepointOptions } from "./raw_tracepoint.ts";
export { attachTracepoint, type AttachTracepointOptions } from "./tracepoint.ts";
export { attachTracing, type AttachTracingOptions } from "./tracing.ts";
export { attachPerfEvent, type AttachPerfEventOptions } from "./perf_event.ts";
export type { PerfCounter, PerfEventName } from "./perf_counter.ts";
export { attachUprobe, type AttachUprobeOptions } from "./uprobe.ts";
export { attachUprobeMulti, type AttachUprobeMultiOptions } from "./uprobe_multi.ts";
export { attachUsdt, type AttachUsdtOptions } from "./usdt.ts";
export type { UserBinaryOptions } from "./user_binary.ts";
export { UserFunctionError, type UserFunctionErrorOptions, type UserFunctionProblem } from "./user_function_error.ts";
export { attachTracingMulti, type AttachTracingMultiOptions } from "./tracing_multi.ts";
export { explainFunction, type TraceMeans } from "./explain_function.ts";
export { KernelFunctionError, type KernelFunctionErrorOptions, type KernelFunctionProblem } from "./function_error.ts";
export { type FunctionName, parseFunctionName } from "./function_name.ts";
export { functionOfProgram } from "./program_function.ts";
export { attachProgram, prepareAttach } from "./attach_program.ts";
export type { AttachByNameOptions, Attacher, Attachers } from "./attacher.ts";
export { attachCgroup, type AttachCgroupOptions, type CgroupMode } from "./cgroup.ts";
export { cgroup2Mount, cgroupPath } from "./cgroup_path.ts";
export { attachLwt, type AttachLwtOptions } from "./lwt.ts";
export { attachNetfilter, type AttachNetfilterOptions, type NetfilterFamily, type NetfilterHook } from "./netfilter.ts";
export { attachFlowDissector, type AttachNetnsOptions, attachSkLookup } from "./netns.ts";
export type { Anchor, Placement } from "./placement.ts";
export { type Hook, type HookProgram, type HookPrograms, queryHook } from "./query_hook.ts";
export {
  attachReuseport,
  type AttachReuseportOptions,
  attachSocketFilter,
  type AttachSocketFilterOptions,
} from "./socket.ts";
export { attachSockmap, type AttachSockmapOptions, type SockmapRole } from "./sockmap.ts";
export { attachTc, type AttachTcOptions } from "./tc.ts";
export { attachNetkit, type AttachNetkitOptions, attachTcx, type AttachTcxOptions } from "./tcx.ts";
export { attachXdp, type AttachXdpOptions, type XdpMode } from "./xdp.ts";

/**
 * `union bpf_attr` (linux/bpf.h, Linux 7.2): one table for the part that each command of bpf(2) uses, and the one buffer
 * that all commands are made in. Calls are synchronous and none begins inside another, so one is enough.
 *
 * @module
 */
import type { BpfCmd } from "../../lib/uapi/mod.ts";
import { calls } from "./calls.ts";
import { Errno } from "./errno.ts";
import { bpfError } from "./fail.ts";
import { type FieldTable, type Inputs, type Layout, layout, WireBuffer } from "./wire.ts";

/** `BPF_MAP_CREATE` */
export const MAP_CREATE = layout({
  mapType: [0, "u32"],
  keySize: [4, "u32"],
  valueSize: [8, "u32"],
  maxEntries: [12, "u32"],
  mapFlags: [16, "u32"],
  innerMapFd: [20, "u32"],
  numaNode: [24, "u32"],
  mapName: [28, "name"],
  mapIfindex: [44, "u32"],
  btfFd: [48, "u32"],
  btfKeyTypeId: [52, "u32"],
  btfValueTypeId: [56, "u32"],
  btfVmlinuxValueTypeId: [60, "u32"],
  mapExtra: [64, "u64"],
  valueTypeBtfObjFd: [72, "s32"],
  mapTokenFd: [76, "s32"],
  exclProgHash: [80, "pointer"],
  exclProgHashSize: [88, "u32"],
});

/** `BPF_MAP_*_ELEM`, `BPF_MAP_GET_NEXT_KEY` (whose `nextKey` is `value`), `BPF_MAP_FREEZE` */
export const MAP_ELEM = layout({
  mapFd: [0, "u32"],
  key: [8, "pointer"],
  value: [16, "pointer"],
  flags: [24, "u64"],
});

/** `BPF_MAP_*_BATCH` */
export const MAP_BATCH = layout({
  inBatch: [0, "pointer"],
  outBatch: [8, "pointer"],
  keys: [16, "pointer"],
  values: [24, "pointer"],
  count: [32, "u32"],
  mapFd: [36, "u32"],
  elemFlags: [40, "u64"],
  flags: [48, "u64"],
});

/** `BPF_PROG_LOAD` */
export const PROG_LOAD = layout({
  progType: [0, "u32"],
  insnCnt: [4, "u32"],
  insns: [8, "pointer"],
  license: [16, "pointer"],
  logLevel: [24, "u32"],
  logSize: [28, "u32"],
  logBuf: [32, "pointer"],
  kernVersion: [40, "u32"],
  progFlags: [44, "u32"],
  progName: [48, "name"],
  progIfindex: [64, "u32"],
  expectedAttachType: [68, "u32"],
  progBtfFd: [72, "u32"],
  funcInfoRecSize: [76, "u32"],
  funcInfo: [80, "pointer"],
  funcInfoCnt: [88, "u32"],
  lineInfoRecSize: [92, "u32"],
  lineInfo: [96, "pointer"],
  lineInfoCnt: [104, "u32"],
  attachBtfId: [108, "u32"],
  attachProgFd: [112, "u32"],
  attachBtfObjFd: [112, "u32"],
  coreReloCnt: [116, "u32"],
  fdArray: [120, "pointer"],
  coreRelos: [128, "pointer"],
  coreReloRecSize: [136, "u32"],
  logTrueSize: [140, "u32"],
  progTokenFd: [144, "s32"],
  fdArrayCnt: [148, "u32"],
  signature: [152, "pointer"],
  signatureSize: [160, "u32"],
  keyringId: [164, "s32"],
});

/** `BPF_OBJ_PIN`, `BPF_OBJ_GET` */
export const OBJ = layout({
  pathname: [0, "pointer"],
  bpfFd: [8, "u32"],
  fileFlags: [12, "u32"],
  pathFd: [16, "s32"],
});

/** `BPF_PROG_ATTACH`, `BPF_PROG_DETACH` */
export const PROG_ATTACH = layout({
  targetFd: [0, "u32"],
  targetIfindex: [0, "u32"],
  attachBpfFd: [4, "u32"],
  attachType: [8, "u32"],
  attachFlags: [12, "u32"],
  replaceBpfFd: [16, "u32"],
  relativeFd: [20, "u32"],
  relativeId: [20, "u32"],
  expectedRevision: [24, "u64"],
});

/** `BPF_PROG_TEST_RUN` */
export const TEST = layout({
  progFd: [0, "u32"],
  retval: [4, "u32"],
  dataSizeIn: [8, "u32"],
  dataSizeOut: [12, "u32"],
  dataIn: [16, "pointer"],
  dataOut: [24, "pointer"],
  repeat: [32, "u32"],
  duration: [36, "u32"],
  ctxSizeIn: [40, "u32"],
  ctxSizeOut: [44, "u32"],
  ctxIn: [48, "pointer"],
  ctxOut: [56, "pointer"],
  flags: [64, "u32"],
  cpu: [68, "u32"],
  batchSize: [72, "u32"],
});

/** `BPF_*_GET_NEXT_ID`, `BPF_*_GET_FD_BY_ID` */
export const ID = layout({
  startId: [0, "u32"],
  nextId: [4, "u32"],
  openFlags: [8, "u32"],
  fdByIdTokenFd: [12, "s32"],
});

/** `BPF_OBJ_GET_INFO_BY_FD` */
export const INFO = layout({
  bpfFd: [0, "u32"],
  infoLen: [4, "u32"],
  info: [8, "pointer"],
});

/** `BPF_PROG_QUERY` */
export const QUERY = layout({
  targetFd: [0, "u32"],
  targetIfindex: [0, "u32"],
  attachType: [4, "u32"],
  queryFlags: [8, "u32"],
  attachFlags: [12, "u32"],
  progIds: [16, "pointer"],
  progCnt: [24, "u32"],
  progAttachFlags: [32, "pointer"],
  linkIds: [40, "pointer"],
  linkAttachFlags: [48, "pointer"],
  revision: [56, "u64"],
});

/** `BPF_RAW_TRACEPOINT_OPEN` */
export const RAW_TRACEPOINT = layout({
  name: [0, "pointer"],
  progFd: [8, "u32"],
  cookie: [16, "u64"],
});

/** `BPF_BTF_LOAD` */
export const BTF_LOAD = layout({
  btf: [0, "pointer"],
  btfLogBuf: [8, "pointer"],
  btfSize: [16, "u32"],
  btfLogSize: [20, "u32"],
  btfLogLevel: [24, "u32"],
  btfLogTrueSize: [28, "u32"],
  btfFlags: [32, "u32"],
  btfTokenFd: [36, "s32"],
});

/** `BPF_TASK_FD_QUERY` */
export const TASK_FD_QUERY = layout({
  pid: [0, "u32"],
  fd: [4, "u32"],
  flags: [8, "u32"],
  bufLen: [12, "u32"],
  buf: [16, "pointer"],
  progId: [24, "u32"],
  fdType: [28, "u32"],
  probeOffset: [32, "u64"],
  probeAddr: [40, "u64"],
});

/** `BPF_LINK_CREATE`: what all links have. */
export const LINK_CREATE = layout({
  progFd: [0, "u32"],
  mapFd: [0, "u32"],
  targetFd: [4, "u32"],
  targetIfindex: [4, "u32"],
  attachType: [8, "u32"],
  flags: [12, "u32"],
  targetBtfId: [16, "u32"],
});

/** `BPF_LINK_CREATE` of an iterator. */
export const LINK_ITER = layout({ iterInfo: [16, "pointer"], iterInfoLen: [24, "u32"] });

/** `link_create.perf_event` */
export const LINK_PERF_EVENT = layout({ bpfCookie: [16, "u64"] });

/** `link_create.kprobe_multi` */
export const LINK_KPROBE_MULTI = layout({
  flags: [16, "u32"],
  cnt: [20, "u32"],
  syms: [24, "pointer"],
  addrs: [32, "pointer"],
  cookies: [40, "pointer"],
});

/** `link_create.tracing` */
export const LINK_TRACING = layout({ targetBtfId: [16, "u32"], cookie: [24, "u64"] });

/** `link_create.tracing_multi` */
export const LINK_TRACING_MULTI = layout({ ids: [16, "pointer"], cookies: [24, "pointer"], cnt: [32, "u32"] });

/** `link_create.netfilter` */
export const LINK_NETFILTER = layout({
  pf: [16, "u32"],
  hooknum: [20, "u32"],
  priority: [24, "s32"],
  flags: [28, "u32"],
});

/** `link_create.tcx`, `link_create.netkit` and `link_create.cgroup`, which are alike. */
export const LINK_RELATIVE = layout({
  relativeFd: [16, "u32"],
  relativeId: [16, "u32"],
  expectedRevision: [24, "u64"],
});

/** `link_create.uprobe_multi` */
export const LINK_UPROBE_MULTI = layout({
  path: [16, "pointer"],
  offsets: [24, "pointer"],
  refCtrOffsets: [32, "pointer"],
  cookies: [40, "pointer"],
  cnt: [48, "u32"],
  flags: [52, "u32"],
  pid: [56, "u32"],
});

/** `BPF_LINK_UPDATE` */
export const LINK_UPDATE = layout({
  linkFd: [0, "u32"],
  newProgFd: [4, "u32"],
  newMapFd: [4, "u32"],
  flags: [8, "u32"],
  oldProgFd: [12, "u32"],
  oldMapFd: [12, "u32"],
});

/** `BPF_LINK_DETACH` */
export const LINK_DETACH = layout({ linkFd: [0, "u32"] });

/** `BPF_ENABLE_STATS` */
export const ENABLE_STATS = layout({ type: [0, "u32"] });

/** `BPF_ITER_CREATE` */
export const ITER_CREATE = layout({ linkFd: [0, "u32"], flags: [4, "u32"] });

/** `BPF_PROG_BIND_MAP` */
export const PROG_BIND_MAP = layout({ progFd: [0, "u32"], mapFd: [4, "u32"], flags: [8, "u32"] });

/** `BPF_TOKEN_CREATE` */
export const TOKEN_CREATE = layout({ flags: [0, "u32"], bpffsFd: [4, "u32"] });

/** `BPF_PROG_ASSOC_STRUCT_OPS` */
export const PROG_ASSOC_STRUCT_OPS = layout({ mapFd: [0, "u32"], progFd: [4, "u32"], flags: [8, "u32"] });

/** `BPF_PROG_STREAM_READ_BY_FD` */
export const PROG_STREAM_READ = layout({
  streamBuf: [0, "pointer"],
  streamBufLen: [8, "u32"],
  streamId: [12, "u32"],
  progFd: [16, "u32"],
});

/** Larger than any part that a command uses. */
const ATTR_BYTES = 256;

let buffer: WireBuffer | undefined;

/** The buffer that commands are made in. (Not made on import: taking its address needs `--allow-ffi`.) */
export function attr(): WireBuffer {
  return buffer ??= new WireBuffer(ATTR_BYTES);
}

/**
 * Makes a command and calls the kernel. Afterwards {@linkcode attr} holds what the kernel wrote.
 *
 * All of the part's known size is handed over: kernels that know less of it accept the rest as long as it is zero.
 *
 * @returns The kernel's result, or a negative error number.
 */
export function bpf<F extends FieldTable>(cmd: BpfCmd, layout: Layout<F>, inputs: Inputs<F>): number {
  const request = attr();
  request.fill(layout, inputs);
  return submit(cmd, layout.size);
}

let memlockRaised = false;

/**
 * As {@linkcode bpf}, for what counts against `RLIMIT_MEMLOCK` before Linux 5.11: its default is too small for almost
 * anything, and exceeding it says EPERM. So the first EPERM lifts the limit and tries once more.
 */
export function bpfCharged<F extends FieldTable>(cmd: BpfCmd, layout: Layout<F>, inputs: Inputs<F>): number {
  const result = bpf(cmd, layout, inputs);
  if (result !== -Errno.EPERM || memlockRaised) return result;
  if (calls.setrlimit(RLIMIT_MEMLOCK, new Uint8Array(16).fill(0xff)) < 0) return result;
  memlockRaised = true;
  return bpf(cmd, layout, inputs);
}

/** sys/resource.h */
const RLIMIT_MEMLOCK = 8;

/** Calls the kernel with what {@linkcode attr} holds. */
export function submit(cmd: BpfCmd, size: number): number {
  const request = attr();
  const result = calls.bpf(cmd, request.pointer, size);
  request.release();
  return result;
}

/**
 * As {@linkcode bpf}.
 *
 * @param about What the command is about, for the message: a path, a name.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function bpfOrThrow<F extends FieldTable>(
  cmd: BpfCmd,
  layout: Layout<F>,
  inputs: Inputs<F>,
  about?: string,
): number {
  const result = bpf(cmd, layout, inputs);
  if (result < 0) throw bpfError(cmd, result, about);
  return result;
}

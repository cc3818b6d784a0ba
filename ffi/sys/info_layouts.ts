/**
 * What `BPF_OBJ_GET_INFO_BY_FD` writes (linux/bpf.h, Linux 7.2): tables of the structures.
 *
 * @module
 */
import { layout } from "./wire.ts";

/** `struct bpf_prog_info`; `gplCompatible` is bit 0 of its word. */
export const PROG_INFO = layout({
  type: [0, "u32"],
  id: [4, "u32"],
  tag: [8, "tag"],
  jitedProgLen: [16, "u32"],
  xlatedProgLen: [20, "u32"],
  loadTime: [40, "u64"],
  createdByUid: [48, "u32"],
  nrMapIds: [52, "u32"],
  name: [64, "name"],
  ifindex: [80, "u32"],
  gplCompatible: [84, "u32"],
  netnsDev: [88, "u64"],
  netnsIno: [96, "u64"],
  nrJitedKsyms: [104, "u32"],
  nrJitedFuncLens: [108, "u32"],
  btfId: [128, "u32"],
  funcInfoRecSize: [132, "u32"],
  nrFuncInfo: [144, "u32"],
  nrLineInfo: [148, "u32"],
  nrJitedLineInfo: [168, "u32"],
  lineInfoRecSize: [172, "u32"],
  jitedLineInfoRecSize: [176, "u32"],
  nrProgTags: [180, "u32"],
  runTimeNs: [192, "u64"],
  runCnt: [200, "u64"],
  recursionMisses: [208, "u64"],
  verifiedInsns: [216, "u32"],
  attachBtfObjId: [220, "u32"],
  attachBtfId: [224, "u32"],
});

/** The arrays of `struct bpf_prog_info`. */
export const PROG_INFO_ARRAYS = layout({
  jitedProgInsns: [24, "pointer"],
  xlatedProgInsns: [32, "pointer"],
  mapIds: [56, "pointer"],
  jitedKsyms: [112, "pointer"],
  jitedFuncLens: [120, "pointer"],
  funcInfo: [136, "pointer"],
  lineInfo: [152, "pointer"],
  jitedLineInfo: [160, "pointer"],
  progTags: [184, "pointer"],
});

/** `struct bpf_map_info` */
export const MAP_INFO = layout({
  type: [0, "u32"],
  id: [4, "u32"],
  keySize: [8, "u32"],
  valueSize: [12, "u32"],
  maxEntries: [16, "u32"],
  mapFlags: [20, "u32"],
  name: [24, "name"],
  ifindex: [40, "u32"],
  btfVmlinuxValueTypeId: [44, "u32"],
  netnsDev: [48, "u64"],
  netnsIno: [56, "u64"],
  btfId: [64, "u32"],
  btfKeyTypeId: [68, "u32"],
  btfValueTypeId: [72, "u32"],
  btfVmlinuxId: [76, "u32"],
  mapExtra: [80, "u64"],
});

/** `struct bpf_btf_info` */
export const BTF_INFO = layout({
  btf: [0, "pointer"],
  btfSize: [8, "u32"],
  id: [12, "u32"],
  name: [16, "pointer"],
  nameLen: [24, "u32"],
  kernelBtf: [28, "u32"],
});

/** `struct bpf_link_info`: what all links have. */
export const LINK_INFO = layout({ type: [0, "u32"], id: [4, "u32"], progId: [8, "u32"] });

/** `bpf_link_info.raw_tracepoint` */
export const LINK_INFO_RAW_TRACEPOINT = layout({
  tpName: [16, "pointer"],
  tpNameLen: [24, "u32"],
  cookie: [32, "u64"],
});

/** `bpf_link_info.tracing` */
export const LINK_INFO_TRACING = layout({
  attachType: [16, "u32"],
  targetObjId: [20, "u32"],
  targetBtfId: [24, "u32"],
  cookie: [32, "u64"],
});

/** `bpf_link_info.cgroup` */
export const LINK_INFO_CGROUP = layout({ cgroupId: [16, "u64"], attachType: [24, "u32"] });

/** `bpf_link_info.iter` */
export const LINK_INFO_ITER = layout({ targetName: [16, "pointer"], targetNameLen: [24, "u32"] });

/** `bpf_link_info.iter.map` */
export const LINK_INFO_ITER_MAP = layout({ mapId: [28, "u32"] });

/** `bpf_link_info.iter.cgroup` */
export const LINK_INFO_ITER_CGROUP = layout({ cgroupId: [32, "u64"], order: [40, "u32"] });

/** `bpf_link_info.iter.task` */
export const LINK_INFO_ITER_TASK = layout({ tid: [32, "u32"], pid: [36, "u32"] });

/** `bpf_link_info.netns` */
export const LINK_INFO_NETNS = layout({ netnsIno: [16, "u32"], attachType: [20, "u32"] });

/** `bpf_link_info.xdp` */
export const LINK_INFO_XDP = layout({ ifindex: [16, "u32"] });

/** `bpf_link_info.struct_ops` */
export const LINK_INFO_STRUCT_OPS = layout({ mapId: [16, "u32"] });

/** `bpf_link_info.netfilter` */
export const LINK_INFO_NETFILTER = layout({
  pf: [16, "u32"],
  hooknum: [20, "u32"],
  priority: [24, "s32"],
  flags: [28, "u32"],
});

/** `bpf_link_info.kprobe_multi` */
export const LINK_INFO_KPROBE_MULTI = layout({
  addrs: [16, "pointer"],
  count: [24, "u32"],
  flags: [28, "u32"],
  missed: [32, "u64"],
  cookies: [40, "pointer"],
});

/** `bpf_link_info.uprobe_multi` */
export const LINK_INFO_UPROBE_MULTI = layout({
  path: [16, "pointer"],
  offsets: [24, "pointer"],
  refCtrOffsets: [32, "pointer"],
  cookies: [40, "pointer"],
  pathSize: [48, "u32"],
  count: [52, "u32"],
  flags: [56, "u32"],
  pid: [60, "u32"],
});

/** `bpf_link_info.perf_event` */
export const LINK_INFO_PERF_EVENT = layout({ type: [16, "u32"] });

/** `bpf_link_info.perf_event.uprobe` */
export const LINK_INFO_UPROBE = layout({
  fileName: [24, "pointer"],
  nameLen: [32, "u32"],
  offset: [36, "u32"],
  cookie: [40, "u64"],
  refCtrOffset: [48, "u64"],
});

/** `bpf_link_info.perf_event.kprobe` */
export const LINK_INFO_KPROBE = layout({
  funcName: [24, "pointer"],
  nameLen: [32, "u32"],
  offset: [36, "u32"],
  addr: [40, "u64"],
  missed: [48, "u64"],
  cookie: [56, "u64"],
});

/** `bpf_link_info.perf_event.tracepoint` */
export const LINK_INFO_TRACEPOINT = layout({
  tpName: [24, "pointer"],
  nameLen: [32, "u32"],
  cookie: [40, "u64"],
});

/** `bpf_link_info.perf_event.event` */
export const LINK_INFO_EVENT = layout({ config: [24, "u64"], type: [32, "u32"], cookie: [40, "u64"] });

/** `bpf_link_info.tcx` and `bpf_link_info.netkit`, which are alike. */
export const LINK_INFO_DEVICE = layout({ ifindex: [16, "u32"], attachType: [20, "u32"] });

/** `bpf_link_info.sockmap` */
export const LINK_INFO_SOCKMAP = layout({ mapId: [16, "u32"], attachType: [20, "u32"] });

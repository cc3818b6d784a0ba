/**
 * Link commands of bpf(2), and the raw tracepoints that came before links.
 *
 * @module
 */
import { type BpfAttachType, BpfCmd } from "../../lib/uapi/mod.ts";
import {
  attr,
  bpfOrThrow,
  ITER_CREATE,
  LINK_CREATE,
  LINK_DETACH,
  LINK_ITER,
  LINK_KPROBE_MULTI,
  LINK_NETFILTER,
  LINK_PERF_EVENT,
  LINK_RELATIVE,
  LINK_TRACING,
  LINK_TRACING_MULTI,
  LINK_UPDATE,
  LINK_UPROBE_MULTI,
  RAW_TRACEPOINT,
  submit,
} from "./attr.ts";
import { bpfError } from "./fail.ts";
import { Fd } from "./fd.ts";
import { addressOf, cString } from "./wire.ts";

/** What `BPF_LINK_CREATE` takes; fields are those of `union bpf_attr`. At most one of the parts after `flags` is given. */
export interface LinkCreateOptions {
  /** The program. */
  readonly progFd?: number | undefined;
  /** The struct_ops map, instead of a program. */
  readonly mapFd?: number | undefined;
  /** What it is attached to: perf event, cgroup, network namespace, program, map. */
  readonly targetFd?: number | undefined;
  /** Network device. */
  readonly targetIfindex?: number | undefined;
  /** How. */
  readonly attachType: BpfAttachType;
  /** `BPF_F_*`, `XDP_FLAGS_*`. */
  readonly flags?: number | undefined;
  /** Type id of the function in the program `targetFd` that is replaced (`freplace`). */
  readonly targetBtfId?: number | undefined;
  /** Perf events (5.15). */
  readonly perfEvent?: { readonly bpfCookie: bigint } | undefined;
  /** fentry, fexit, tp_btf, lsm, freplace (cookie: 5.19). */
  readonly tracing?: { readonly targetBtfId?: number | undefined; readonly cookie: bigint } | undefined;
  /** fentry.multi and its like (7.2): type ids of functions, ascending, and a cookie for each. */
  readonly tracingMulti?: {
    readonly ids: Uint32Array;
    readonly cookies?: BigUint64Array | undefined;
  } | undefined;
  /** Iterators: a `union bpf_iter_link_info`. */
  readonly iter?: { readonly iterInfo: Uint8Array } | undefined;
  /** Many kprobes (5.18). */
  readonly kprobeMulti?: KprobeMultiOptions | undefined;
  /** Many uprobes (6.6). */
  readonly uprobeMulti?: UprobeMultiOptions | undefined;
  /** Netfilter (6.4). */
  readonly netfilter?: NetfilterOptions | undefined;
  /** tcx (6.6), netkit (6.7) and cgroups (6.16): place among the others. */
  readonly relative?: RelativeOptions | undefined;
}

/** `link_create.kprobe_multi`: either `syms` or `addrs`. */
export interface KprobeMultiOptions {
  /** `BPF_F_KPROBE_MULTI_RETURN`. */
  readonly flags?: number | undefined;
  /** Functions by name. */
  readonly syms?: readonly string[] | undefined;
  /** Functions by address. */
  readonly addrs?: BigUint64Array | undefined;
  /** A cookie for each. */
  readonly cookies?: BigUint64Array | undefined;
}

/** `link_create.uprobe_multi`. */
export interface UprobeMultiOptions {
  /** The binary. */
  readonly path: string;
  /** Offsets in the file, in bytes. */
  readonly offsets: BigUint64Array;
  /** Offsets of the USDT semaphores, one for each. */
  readonly refCtrOffsets?: BigUint64Array | undefined;
  /** A cookie for each. */
  readonly cookies?: BigUint64Array | undefined;
  /** `BPF_F_UPROBE_MULTI_RETURN`. */
  readonly flags?: number | undefined;
  /** Only this process; 0 for all. */
  readonly pid?: number | undefined;
}

/** `link_create.netfilter`. */
export interface NetfilterOptions {
  /** Protocol family: `NFPROTO_*`. */
  readonly pf: number;
  /** Hook: `NF_INET_*`. */
  readonly hooknum: number;
  /** Place among the hook's programs. */
  readonly priority: number;
  /** `BPF_F_NETFILTER_IP_DEFRAG`. */
  readonly flags?: number | undefined;
}

/** `link_create.tcx`, `link_create.netkit`, `link_create.cgroup`. */
export interface RelativeOptions {
  /** Program or link before or after which it is to be. */
  readonly relativeFd?: number | undefined;
  /** The same by id, with `BPF_F_ID`. */
  readonly relativeId?: number | undefined;
  /** Fails unless the list of programs has this revision. */
  readonly expectedRevision?: number | bigint | undefined;
}

/**
 * Attaches a program by a link (`BPF_LINK_CREATE`, 5.7): it is detached when the last file descriptor and pin are gone.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function linkCreate(options: LinkCreateOptions): Fd {
  const { perfEvent, tracing, tracingMulti, iter, kprobeMulti, uprobeMulti, netfilter, relative, ...common } = options;
  const request = attr();
  request.fill(LINK_CREATE, common);
  if (perfEvent) request.set(LINK_PERF_EVENT, perfEvent);
  if (tracing) request.set(LINK_TRACING, tracing);
  if (tracingMulti) request.set(LINK_TRACING_MULTI, { ...tracingMulti, cnt: tracingMulti.ids.length });
  if (iter) request.set(LINK_ITER, { iterInfo: iter.iterInfo, iterInfoLen: iter.iterInfo.length });
  if (kprobeMulti) setKprobeMulti(kprobeMulti);
  if (uprobeMulti) request.set(LINK_UPROBE_MULTI, { ...uprobeMulti, cnt: uprobeMulti.offsets.length });
  if (netfilter) request.set(LINK_NETFILTER, { ...netfilter });
  if (relative) request.set(LINK_RELATIVE, { ...relative });
  const result = submit(BpfCmd.BPF_LINK_CREATE, LINK_UPROBE_MULTI.size);
  if (result < 0) throw bpfError(BpfCmd.BPF_LINK_CREATE, result);
  return new Fd(result);
}

function setKprobeMulti(options: KprobeMultiOptions): void {
  const { syms, addrs, cookies, flags } = options;
  const cnt = syms?.length ?? addrs?.length ?? 0;
  attr().set(LINK_KPROBE_MULTI, { flags, cnt, addrs, cookies });
  if (syms === undefined) return;
  const names = syms.map(cString);
  attr().keep(names);
  attr().set(LINK_KPROBE_MULTI, { syms: BigUint64Array.from(names, addressOf) });
}

/** What {@linkcode linkUpdate} takes. */
export interface LinkUpdateOptions {
  /** The program that runs from now on. */
  readonly newProgFd?: number | undefined;
  /** The struct_ops map that counts from now on. */
  readonly newMapFd?: number | undefined;
  /** Fails unless this program was attached. */
  readonly oldProgFd?: number | undefined;
  /** Fails unless this map was attached. */
  readonly oldMapFd?: number | undefined;
}

/** Says that `oldProgFd` or `oldMapFd` counts. */
const BPF_F_REPLACE = 1 << 2;

/**
 * Replaces the program of a link (`BPF_LINK_UPDATE`, 5.7) without a moment in which none is attached.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function linkUpdate(linkFd: number, options: LinkUpdateOptions): void {
  const replace = options.oldProgFd !== undefined || options.oldMapFd !== undefined;
  bpfOrThrow(BpfCmd.BPF_LINK_UPDATE, LINK_UPDATE, { ...options, linkFd, flags: replace ? BPF_F_REPLACE : 0 });
}

/**
 * Detaches a link that others may hold too (`BPF_LINK_DETACH`, 5.9).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function linkDetach(linkFd: number): void {
  bpfOrThrow(BpfCmd.BPF_LINK_DETACH, LINK_DETACH, { linkFd });
}

/**
 * Opens what an iterator's link gives (`BPF_ITER_CREATE`, 5.8); to be read with read(2).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function iterCreate(linkFd: number): Fd {
  return new Fd(bpfOrThrow(BpfCmd.BPF_ITER_CREATE, ITER_CREATE, { linkFd }));
}

/** What {@linkcode rawTracepointOpen} takes. */
export interface RawTracepointOptions {
  /** The program. */
  readonly progFd: number;
  /** Name of the tracepoint; none for programs that were loaded for a kernel function or type. */
  readonly name?: string | undefined;
  /** What `bpf_get_attach_cookie()` gives the program (6.10). */
  readonly cookie?: bigint | undefined;
}

/**
 * Attaches a raw tracepoint program, or one that was loaded for a kernel function or type (`BPF_RAW_TRACEPOINT_OPEN`, 4.17).
 *
 * @throws {SyscallError} if the kernel refuses it: code `ENOENT` for an unknown tracepoint.
 */
export function rawTracepointOpen(options: RawTracepointOptions): Fd {
  const { name } = options;
  const about = name === undefined ? undefined : `"${name}"`;
  return new Fd(bpfOrThrow(BpfCmd.BPF_RAW_TRACEPOINT_OPEN, RAW_TRACEPOINT, { ...options }, about));
}

/**
 * Program commands of bpf(2).
 *
 * @module
 */
import { FormatError } from "../../lib/errors.ts";
import { type BpfAttachType, BpfCmd, type BpfProgType } from "../../lib/uapi/mod.ts";
import {
  attr,
  bpf,
  bpfCharged,
  bpfOrThrow,
  PROG_ASSOC_STRUCT_OPS,
  PROG_ATTACH,
  PROG_BIND_MAP,
  PROG_LOAD,
  QUERY,
} from "./attr.ts";
import { Errno } from "./errno.ts";
import { bpfError } from "./fail.ts";
import { Fd } from "./fd.ts";

/** What `BPF_PROG_LOAD` takes; fields are those of `union bpf_attr`, and 0 or empty unless given. */
export interface ProgLoadOptions {
  /** `BPF_PROG_TYPE_*`. */
  readonly progType: BpfProgType;
  /** Instructions, 8 bytes each, in the machine's byte order. */
  readonly insns: Uint8Array;
  /** `"GPL"` opens the helpers that are for GPL programs only. */
  readonly license: string;
  /** Receives the verifier's log as text that ends with a NUL. */
  readonly log?: Uint8Array | undefined;
  /** 1, 2 (every instruction) and 4 (statistics), with `log`; 1 by default. */
  readonly logLevel?: number | undefined;
  /** `LINUX_VERSION_CODE`, which kernels before 5.0 want of kprobes. */
  readonly kernVersion?: number | undefined;
  /** `BPF_F_*`. */
  readonly progFlags?: number | undefined;
  /** Name, cut to 15 bytes: letters, digits, `_` and (5.4) `.`. */
  readonly progName?: string | undefined;
  /** Network device to offload to or to be bound to. */
  readonly progIfindex?: number | undefined;
  /** Attach type that decides what the program may do; 0 for none. */
  readonly expectedAttachType?: BpfAttachType | 0 | undefined;
  /** Loaded BTF that `funcInfo` and `lineInfo` are of. */
  readonly progBtfFd?: number | undefined;
  /** `struct bpf_func_info` records. */
  readonly funcInfo?: Uint8Array | undefined;
  /** Size of such a record in bytes; 8 by default. */
  readonly funcInfoRecSize?: number | undefined;
  /** `struct bpf_line_info` records. */
  readonly lineInfo?: Uint8Array | undefined;
  /** Size of such a record in bytes; 16 by default. */
  readonly lineInfoRecSize?: number | undefined;
  /** Type id of the kernel type or function (or the program's, with `attachProgFd`) that it will be attached to. */
  readonly attachBtfId?: number | undefined;
  /** Program that it will be attached to. */
  readonly attachProgFd?: number | undefined;
  /** Module BTF that `attachBtfId` is of; vmlinux without it. */
  readonly attachBtfObjFd?: number | undefined;
  /** File descriptors that instructions refer to by index: maps, BTF of modules (5.14). */
  readonly fdArray?: Int32Array | undefined;
  /** Number of entries of `fdArray` that the kernel shall bind to the program (6.14). */
  readonly fdArrayCnt?: number | undefined;
  /** BPF token, with `BPF_F_TOKEN_FD` (6.9). */
  readonly progTokenFd?: number | undefined;
  /** PKCS#7 signature of the instructions, and where it is checked (6.18). */
  readonly signature?: Uint8Array | undefined;
  /** Keyring with the key of `signature`; negative for the kernel's own (`VERIFY_USE_SECONDARY_KEYRING` and others). */
  readonly keyringId?: number | undefined;
}

const INSN_BYTES = 8;

/**
 * Has the verifier check a program (`BPF_PROG_LOAD`).
 *
 * @throws {SyscallError} if the kernel refuses it; `log` then says why, and `logTrueSize` how large it would have to be.
 * @throws {FormatError} if `insns`, `funcInfo` or `lineInfo` end in the middle of a record.
 */
export function progLoad(options: ProgLoadOptions): Fd {
  const {
    log,
    logLevel = 1,
    funcInfo,
    funcInfoRecSize = 8,
    lineInfo,
    lineInfoRecSize = 16,
    insns,
    signature,
    ...rest
  } = options;
  const result = bpfCharged(BpfCmd.BPF_PROG_LOAD, PROG_LOAD, {
    ...rest,
    insns,
    insnCnt: countOf("instructions", insns, INSN_BYTES),
    ...(signature === undefined ? {} : { signature, signatureSize: signature.length }),
    ...(log === undefined ? {} : { logBuf: log, logSize: log.length, logLevel }),
    ...records("funcInfo", funcInfo, funcInfoRecSize),
    ...records("lineInfo", lineInfo, lineInfoRecSize),
  });
  if (result >= 0) return new Fd(result);
  const about = options.progName === undefined ? undefined : `"${options.progName}"`;
  throw bpfError(BpfCmd.BPF_PROG_LOAD, result, about, attr().get(PROG_LOAD, "logTrueSize") || undefined);
}

function records<N extends "funcInfo" | "lineInfo">(
  name: N,
  bytes: Uint8Array | undefined,
  recordSize: number,
): object {
  if (bytes === undefined || bytes.length === 0) return {};
  return { [name]: bytes, [`${name}RecSize`]: recordSize, [`${name}Cnt`]: countOf(name, bytes, recordSize) };
}

/** The kernel is told a number of records, not a size: bytes beyond the last whole record would be lost without a word. */
function countOf(what: string, bytes: Uint8Array, recordSize: number): number {
  if (bytes.length % recordSize === 0) return bytes.length / recordSize;
  throw new FormatError(`${what}: ${bytes.length} bytes are not a multiple of ${recordSize}`);
}

/**
 * Keeps a map alive as long as a program that does not refer to it (`BPF_PROG_BIND_MAP`, 5.10).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function progBindMap(progFd: number, mapFd: number): void {
  bpfOrThrow(BpfCmd.BPF_PROG_BIND_MAP, PROG_BIND_MAP, { progFd, mapFd });
}

/**
 * Has a program call the struct_ops of a map, where a kernel function asks which ones it means
 * (`BPF_PROG_ASSOC_STRUCT_OPS`, 7.0).
 *
 * @throws {SyscallError} if the kernel refuses it: code `EBUSY` if the program has others already.
 */
export function progAssocStructOps(progFd: number, mapFd: number): void {
  bpfOrThrow(BpfCmd.BPF_PROG_ASSOC_STRUCT_OPS, PROG_ASSOC_STRUCT_OPS, { progFd, mapFd });
}

/** Where a program is attached, or shall be: fields are those of `union bpf_attr`. */
export interface ProgAttachOptions {
  /** cgroup, map or network namespace. */
  readonly targetFd?: number | undefined;
  /** Network device. */
  readonly targetIfindex?: number | undefined;
  /** The program; to be left out where detaching needs none. */
  readonly attachBpfFd?: number | undefined;
  /** How it is attached. */
  readonly attachType: BpfAttachType;
  /** `BPF_F_ALLOW_MULTI`, `BPF_F_REPLACE`, `BPF_F_BEFORE`, ... */
  readonly attachFlags?: number | undefined;
  /** Program that is to be replaced, with `BPF_F_REPLACE`. */
  readonly replaceBpfFd?: number | undefined;
  /** Program or link before or after which it is to be. */
  readonly relativeFd?: number | undefined;
  /** The same by id, with `BPF_F_ID`. */
  readonly relativeId?: number | undefined;
  /** Fails unless the list of programs has this revision. */
  readonly expectedRevision?: number | bigint | undefined;
}

/**
 * Attaches a program without a link (`BPF_PROG_ATTACH`): it stays until it is detached.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function progAttach(options: ProgAttachOptions): void {
  bpfOrThrow(BpfCmd.BPF_PROG_ATTACH, PROG_ATTACH, { ...options });
}

/**
 * Detaches a program that was attached without a link (`BPF_PROG_DETACH`).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function progDetach(options: ProgAttachOptions): void {
  bpfOrThrow(BpfCmd.BPF_PROG_DETACH, PROG_ATTACH, { ...options });
}

/** What {@linkcode progQuery} asks about. */
export interface ProgQueryOptions {
  /** cgroup, map or network namespace. */
  readonly targetFd?: number | undefined;
  /** Network device. */
  readonly targetIfindex?: number | undefined;
  /** Which attachments. */
  readonly attachType: BpfAttachType;
  /** `BPF_F_QUERY_EFFECTIVE`: those inherited from the cgroups above count too. */
  readonly queryFlags?: number | undefined;
  /** Ask for the flags of each program too (cgroups, 6.0; not with `BPF_F_QUERY_EFFECTIVE`). */
  readonly withProgAttachFlags?: boolean | undefined;
  /** Ask for the ids of the links too (tcx and netkit, 6.6). */
  readonly withLinkIds?: boolean | undefined;
}

/** What is attached somewhere. */
export interface ProgQueryResult {
  /** Flags of the attachment point. */
  readonly attachFlags: number;
  /** Ids of the programs in the order in which they run. */
  readonly progIds: Uint32Array<ArrayBuffer>;
  /** `BPF_F_*` of each program; empty unless asked for. */
  readonly progAttachFlags: Uint32Array<ArrayBuffer>;
  /** Id of the link of each program, 0 for none; empty unless asked for. */
  readonly linkIds: Uint32Array<ArrayBuffer>;
  /** Revision of the list (6.6); 0 where there is none. */
  readonly revision: bigint;
}

/**
 * The programs that are attached somewhere (`BPF_PROG_QUERY`, 4.15).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function progQuery(options: ProgQueryOptions): ProgQueryResult {
  const { withProgAttachFlags = false, withLinkIds = false, ...about } = options;
  for (let room = 64;; room *= 4) {
    const progIds = new Uint32Array(room);
    const progAttachFlags = new Uint32Array(withProgAttachFlags ? room : 0);
    const linkIds = new Uint32Array(withLinkIds ? room : 0);
    const arrays = { progIds, progAttachFlags, linkIds };
    const result = bpf(BpfCmd.BPF_PROG_QUERY, QUERY, { ...about, ...arrays, progCnt: room });
    if (result === -Errno.ENOSPC && room < 1 << 16) continue;
    if (result < 0) throw bpfError(BpfCmd.BPF_PROG_QUERY, result);
    const count = attr().get(QUERY, "progCnt");
    return {
      attachFlags: attr().get(QUERY, "attachFlags"),
      progIds: progIds.slice(0, count),
      progAttachFlags: progAttachFlags.slice(0, count),
      linkIds: linkIds.slice(0, count),
      revision: attr().get(QUERY, "revision"),
    };
  }
}

/**
 * What the kernel knows of a loaded program.
 *
 * @module
 */
import type { BpfProgType } from "../../lib/uapi/mod.ts";
import { objGetInfoByFd } from "./get_info.ts";
import { PROG_INFO, PROG_INFO_ARRAYS } from "./info_layouts.ts";
import { WireBuffer } from "./wire.ts";

/** `struct bpf_prog_info` (linux/bpf.h) without its arrays. What an older kernel does not know is 0. */
export interface ProgInfo {
  /** `BPF_PROG_TYPE_*`. */
  readonly type: BpfProgType;
  /** Id. */
  readonly id: number;
  /** 8 bytes that depend on the instructions only. */
  readonly tag: Uint8Array<ArrayBuffer>;
  /** Size of the machine code in bytes; 0 if it was not compiled or is not shown. */
  readonly jitedProgLen: number;
  /** Size of the instructions in bytes, as the verifier rewrote them; 0 if they are not shown. */
  readonly xlatedProgLen: number;
  /** When it was loaded: ns since boot. */
  readonly loadTime: bigint;
  /** User who loaded it. */
  readonly createdByUid: number;
  /** Number of maps that it uses. */
  readonly nrMapIds: number;
  /** Name, at most 15 bytes. */
  readonly name: string;
  /** Network device that it is bound to. */
  readonly ifindex: number;
  /** May it use helpers that are for GPL programs only. */
  readonly gplCompatible: boolean;
  /** Device number of the network namespace of `ifindex`. */
  readonly netnsDev: bigint;
  /** Inode of the network namespace of `ifindex`. */
  readonly netnsIno: bigint;
  /** Number of functions. */
  readonly nrJitedKsyms: number;
  /** Number of functions. */
  readonly nrJitedFuncLens: number;
  /** Id of its BTF; 0 without. */
  readonly btfId: number;
  /** Number of function records. */
  readonly nrFuncInfo: number;
  /** Size of such a record in bytes. */
  readonly funcInfoRecSize: number;
  /** Number of line records. */
  readonly nrLineInfo: number;
  /** Size of such a record in bytes. */
  readonly lineInfoRecSize: number;
  /** Number of addresses of lines. */
  readonly nrJitedLineInfo: number;
  /** Size of such an address in bytes. */
  readonly jitedLineInfoRecSize: number;
  /** Number of tags: one per function. */
  readonly nrProgTags: number;
  /** Time spent in it in ns, while statistics are on (5.1). */
  readonly runTimeNs: bigint;
  /** How often it ran, while statistics are on (5.1). */
  readonly runCnt: bigint;
  /** How often it did not run, because it was running on that CPU (5.12). */
  readonly recursionMisses: bigint;
  /** Instructions that the verifier looked at (5.16). */
  readonly verifiedInsns: number;
  /** Id of the BTF that `attachBtfId` is of (5.17). */
  readonly attachBtfObjId: number;
  /** Type id of what it attaches to (5.17). */
  readonly attachBtfId: number;
  /** How many bytes of the structure this kernel knows. */
  readonly infoLen: number;
}

/** The arrays of a program's info; one that the kernel does not show (to this user) is missing. */
export interface ProgArrays {
  /** Instructions as the verifier rewrote them. */
  xlatedProgInsns?: Uint8Array<ArrayBuffer>;
  /** Machine code of all functions, one after the other. */
  jitedProgInsns?: Uint8Array<ArrayBuffer>;
  /** Ids of the maps that it uses: 32 bits each. */
  mapIds?: Uint8Array<ArrayBuffer>;
  /** Address of each function: 64 bits each. */
  jitedKsyms?: Uint8Array<ArrayBuffer>;
  /** Size in bytes of each function's machine code: 32 bits each. */
  jitedFuncLens?: Uint8Array<ArrayBuffer>;
  /** `struct bpf_func_info` records, offsets counted in instructions. */
  funcInfo?: Uint8Array<ArrayBuffer>;
  /** `struct bpf_line_info` records, offsets counted in instructions. */
  lineInfo?: Uint8Array<ArrayBuffer>;
  /** Address of the machine code of each line record: 64 bits each. */
  jitedLineInfo?: Uint8Array<ArrayBuffer>;
  /** Tag of each function: 8 bytes each. */
  progTags?: Uint8Array<ArrayBuffer>;
}

/** Name of an array of a program's info. */
export type ProgArray = keyof ProgArrays;

type Field = keyof typeof PROG_INFO.fields;

/** Where the number of elements is, and how large one is: in bytes, or the field that says it. */
const ARRAYS: Record<ProgArray, readonly [count: Field, recordSize: number | Field]> = {
  xlatedProgInsns: ["xlatedProgLen", 1],
  jitedProgInsns: ["jitedProgLen", 1],
  mapIds: ["nrMapIds", 4],
  jitedKsyms: ["nrJitedKsyms", 8],
  jitedFuncLens: ["nrJitedFuncLens", 4],
  funcInfo: ["nrFuncInfo", "funcInfoRecSize"],
  lineInfo: ["nrLineInfo", "lineInfoRecSize"],
  jitedLineInfo: ["nrJitedLineInfo", "jitedLineInfoRecSize"],
  progTags: ["nrProgTags", 8],
};

/**
 * What the kernel knows of a program (`BPF_OBJ_GET_INFO_BY_FD`).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function progInfo(fd: number): ProgInfo {
  const info = new WireBuffer(PROG_INFO.size);
  return decode(info, objGetInfoByFd(fd, info));
}

/**
 * Arrays of a program's info.
 *
 * @param fd The program.
 * @param names Which.
 * @throws {SyscallError} if the kernel refuses it.
 */
export function progArrays(fd: number, names: readonly ProgArray[]): ProgArrays {
  const sizes = new WireBuffer(PROG_INFO.size);
  objGetInfoByFd(fd, sizes);
  const info = new WireBuffer(PROG_INFO.size);
  const arrays: ProgArrays = {};
  for (const name of names) {
    const [countField, record] = ARRAYS[name];
    const count = Number(sizes.get(PROG_INFO, countField));
    const recordSize = typeof record === "number" ? record : Number(sizes.get(PROG_INFO, record));
    if (count === 0 || recordSize === 0) continue;
    const bytes = new Uint8Array(count * recordSize);
    info.set(PROG_INFO_ARRAYS, { [name]: bytes });
    info.set(PROG_INFO, { [countField]: count });
    // The kernel wants to be told the size of records that are not always the same size.
    if (typeof record !== "number") info.set(PROG_INFO, { [record]: recordSize });
    arrays[name] = bytes;
  }
  objGetInfoByFd(fd, info);
  for (const name of names) {
    const [countField] = ARRAYS[name];
    // An array that is hidden from this user comes back as address 0, its memory untouched.
    if (info.get(PROG_INFO_ARRAYS, name) === 0n || info.get(PROG_INFO, countField) === 0) delete arrays[name];
  }
  return arrays;
}

function decode(info: WireBuffer, infoLen: number): ProgInfo {
  const { type, gplCompatible, ...rest } = info.read(PROG_INFO);
  return { ...rest, type: type as BpfProgType, gplCompatible: (gplCompatible & 1) === 1, infoLen };
}

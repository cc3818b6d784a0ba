/**
 * What the kernel knows of maps and of loaded BTF.
 *
 * @module
 */
import type { BpfMapType } from "../../lib/uapi/mod.ts";
import { SyscallError } from "./errors.ts";
import { objGetInfoByFd } from "./get_info.ts";
import { BTF_INFO, MAP_INFO } from "./info_layouts.ts";
import { textOf, WireBuffer } from "./wire.ts";

/** `struct bpf_map_info` (linux/bpf.h). What an older kernel does not know is 0. */
export interface MapInfo {
  /** `BPF_MAP_TYPE_*`. */
  readonly type: BpfMapType;
  /** Id. */
  readonly id: number;
  /** Size of a key in bytes. */
  readonly keySize: number;
  /** Size of a value in bytes. */
  readonly valueSize: number;
  /** Number of elements. */
  readonly maxEntries: number;
  /** `BPF_F_*`. */
  readonly mapFlags: number;
  /** Name, at most 15 bytes. */
  readonly name: string;
  /** Network device that it is offloaded to. */
  readonly ifindex: number;
  /** Type id of the kernel struct that a struct_ops map holds. */
  readonly btfVmlinuxValueTypeId: number;
  /** Device number of the network namespace of `ifindex`. */
  readonly netnsDev: bigint;
  /** Inode of the network namespace of `ifindex`. */
  readonly netnsIno: bigint;
  /** Id of its BTF; 0 without. */
  readonly btfId: number;
  /** Type id of the key in that BTF. */
  readonly btfKeyTypeId: number;
  /** Type id of the value in that BTF. */
  readonly btfValueTypeId: number;
  /** Id of the BTF of `btfVmlinuxValueTypeId` (6.9). */
  readonly btfVmlinuxId: number;
  /** Hash functions of a bloom filter, address of an arena (5.16). */
  readonly mapExtra: bigint;
  /** How many bytes of the structure this kernel knows. */
  readonly infoLen: number;
}

/**
 * What the kernel knows of a map (`BPF_OBJ_GET_INFO_BY_FD`).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function mapInfo(fd: number): MapInfo {
  const info = new WireBuffer(MAP_INFO.size);
  const infoLen = objGetInfoByFd(fd, info);
  const { type, ...rest } = info.read(MAP_INFO);
  return { ...rest, type: type as BpfMapType, infoLen };
}

/** `struct bpf_btf_info` (linux/bpf.h). */
export interface BtfInfo {
  /** Id. */
  readonly id: number;
  /** Size in bytes. */
  readonly btfSize: number;
  /** `"vmlinux"`, the module's name, or empty (5.11). */
  readonly name: string;
  /** Is it the kernel's or a module's (5.11). */
  readonly kernelBtf: boolean;
}

/** Longer than the name of any module (MODULE_NAME_LEN). */
const BTF_NAME_BYTES = 256;

/**
 * What the kernel knows of loaded BTF (`BPF_OBJ_GET_INFO_BY_FD`).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function btfInfo(fd: number): BtfInfo {
  const info = new WireBuffer(BTF_INFO.size);
  const name = new Uint8Array(BTF_NAME_BYTES);
  try {
    info.set(BTF_INFO, { name, nameLen: name.length });
    objGetInfoByFd(fd, info);
  } catch (error) {
    // A kernel that knows no names refuses to be asked for one.
    if (!(error instanceof SyscallError) || error.code !== "E2BIG") throw error;
    info.fill(BTF_INFO, {});
    objGetInfoByFd(fd, info);
  }
  const { id, btfSize, kernelBtf } = info.read(BTF_INFO);
  return { id, btfSize, name: textOf(name), kernelBtf: kernelBtf !== 0 };
}

/**
 * The bytes of loaded BTF, in the machine's byte order.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function btfBytes(fd: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(btfInfo(fd).btfSize);
  const info = new WireBuffer(BTF_INFO.size);
  info.set(BTF_INFO, { btf: bytes, btfSize: bytes.length });
  objGetInfoByFd(fd, info);
  return bytes;
}

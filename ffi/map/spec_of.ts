/**
 * What the kernel says of a map that was there before, as a spec.
 *
 * @module
 */
import type { BtfType } from "../../lib/btf/mod.ts";
import type { MapSpec } from "../../lib/spec/mod.ts";
import { BpfMapFlag } from "../../lib/uapi/mod.ts";
import { hostBtf, loadedBtf } from "../btf/mod.ts";
import * as sys from "../sys/mod.ts";

/**
 * The spec of a live map. The types of its keys and values are read from the kernel when they are asked for.
 *
 * @throws {sys.SyscallError} if `fd` is no map.
 */
export function specOf(fd: number): MapSpec {
  const info = sys.mapInfo(fd);
  let types: { key: BtfType | undefined; value: BtfType | undefined } | undefined;
  return {
    name: info.name,
    type: info.type,
    keySize: info.keySize,
    valueSize: info.valueSize,
    maxEntries: info.maxEntries,
    flags: info.mapFlags,
    extra: info.mapExtra,
    pinning: "none",
    get key() {
      return (types ??= typesOf(info)).key;
    },
    get value() {
      return (types ??= typesOf(info)).value;
    },
    readOnly: (info.mapFlags & BpfMapFlag.BPF_F_RDONLY_PROG) !== 0,
    contents: [],
    tags: [],
  };
}

function typesOf(info: sys.MapInfo): { key: BtfType | undefined; value: BtfType | undefined } {
  if (info.btfVmlinuxValueTypeId !== 0) {
    // Of a module's struct_ops the kernel says whose type it is (6.9); before there were none.
    const kernel = info.btfVmlinuxId === 0 ? hostBtf() : loadedBtf(info.btfVmlinuxId);
    return { key: undefined, value: kernel.type(info.btfVmlinuxValueTypeId) };
  }
  if (info.btfId === 0) return { key: undefined, value: undefined };
  const btf = loadedBtf(info.btfId);
  const type = (id: number) => id === 0 ? undefined : btf.type(id);
  return { key: type(info.btfKeyTypeId), value: type(info.btfValueTypeId) };
}

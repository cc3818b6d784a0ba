/**
 * How BTF lies in bytes: the structs of linux/btf.h (Linux 7.x, which widened `vlen` to 24 and the kind to 7 bits; older
 * blobs have zeros there). The type section is nothing but 32-bit words, so offsets here count words.
 *
 * @module
 */
import { BtfKind, BtfMax } from "../uapi/mod.ts";

/** `struct btf_header`: byte offsets; the layout fields exist where `hdr_len` says so (Linux 7.x). */
export const BTF_HEADER = {
  magic: 0,
  version: 2,
  flags: 3,
  hdrLen: 4,
  typeOff: 8,
  typeLen: 12,
  strOff: 16,
  strLen: 20,
  size: 24,
  layoutOff: 24,
  layoutLen: 28,
  sizeWithLayout: 32,
} as const;

/** `struct btf_layout`: byte offsets. One per kind, so that a reader can step over kinds that it doesn't know. */
export const BTF_LAYOUT = { infoSize: 0, elementSize: 1, size: 4 } as const;

/** `struct btf_type`: word offsets. */
export const BTF_TYPE = { nameOff: 0, info: 1, sizeOrType: 2, words: 3 } as const;

/** The kind in `btf_type.info`. */
export function infoKind(info: number): number {
  return (info >>> 24) & 0x7f;
}

/** The number of elements (or the linkage of a function) in `btf_type.info`. */
export function infoVlen(info: number): number {
  return info & BtfMax.BTF_MAX_VLEN;
}

/** The kind flag in `btf_type.info`. */
export function infoFlag(info: number): boolean {
  return info >>> 31 === 1;
}

/** The last kind that this library decodes. */
export const LAST_KIND: number = BtfKind.Enum64;

/** Size of the kinds' records in words: `fixed[kind] + vlen * perElement[kind]`; a fixed size of 0: unknown kind. */
export interface RecordSizes {
  readonly fixed: Uint8Array;
  readonly perElement: Uint8Array;
}

/** Record sizes of the kinds that this library decodes, in arrays of the caller's own. */
export function knownRecordSizes(): RecordSizes {
  const fixed = new Uint8Array(BtfMax.BTF_MAX_KIND + 1);
  const perElement = new Uint8Array(BtfMax.BTF_MAX_KIND + 1);
  fixed.fill(BTF_TYPE.words, BtfKind.Int, LAST_KIND + 1);
  fixed[BtfKind.Int]! += 1;
  fixed[BtfKind.Array]! += 3;
  fixed[BtfKind.Var]! += 1;
  fixed[BtfKind.DeclTag]! += 1;
  perElement[BtfKind.Struct] = 3;
  perElement[BtfKind.Union] = 3;
  perElement[BtfKind.Enum] = 2;
  perElement[BtfKind.FuncProto] = 2;
  perElement[BtfKind.Datasec] = 3;
  perElement[BtfKind.Enum64] = 3;
  return { fixed, perElement };
}

/**
 * What has to be written into a struct so that a C compiler puts its members where BTF says they are.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import { BTF_TYPE, infoFlag, infoKind } from "../wire.ts";
import type { RawTypes } from "./raw_types.ts";
import type { TextBuffer } from "./text_buffer.ts";

/** A member of a struct or union as raw numbers. */
export interface RawMember {
  /** Type id. */
  type: number;
  /** Offset in bits. */
  offset: number;
  /** Width of a bitfield in bits; 0 for a plain member. */
  bits: number;
}

/** Where padding may be needed. */
export interface PadPlace {
  /** Type id of the struct or union. */
  readonly id: number;
  /** Where the members so far end, in bits. */
  readonly end: number;
  /** Whether the last of them is a bitfield. */
  readonly afterBitfield: boolean;
}

/** Decides on attributes and padding of structs and unions. Bodies are only asked about whose types do not contain themselves. */
export interface CLayout {
  /** Whether the body of a struct or union has the attribute `packed`. */
  isPacked(id: number): boolean;
  /** Alignment in bytes to be asked for by an attribute; 0: none. */
  alignedTo(id: number): number;
  /** Reads member `index` of a struct or union into `member`. */
  member(id: number, index: number, member: RawMember): void;
  /** Size of a type in bytes; 0 for what has none. */
  sizeOf(id: number): number;
  /** Writes what stands between the members so far and `member`, each on a line of its own. */
  padBefore(out: TextBuffer, indent: string, place: PadPlace, member: RawMember): void;
  /** Writes what stands behind the last member. */
  padAfter(out: TextBuffer, indent: string, place: PadPlace): void;
}

/** References that are followed before a chain counts as a cycle, as everywhere in this room. */
export const MAX_CHAIN = 512;

/** Size of a type in bytes; 0 for what has none, for cycles, and for 4 GiB or more. */
export function rawSizeOf(types: RawTypes, id: number): number {
  const { words, offsets } = types;
  let count = 1;
  for (let steps = 0; steps < MAX_CHAIN && id !== 0; steps++) {
    const at = offsets[id - 1]!;
    const sizeOrType = words[at + BTF_TYPE.sizeOrType]!;
    switch (infoKind(words[at + BTF_TYPE.info]!)) {
      case BtfKind.Int:
      case BtfKind.Struct:
      case BtfKind.Union:
      case BtfKind.Enum:
      case BtfKind.Enum64:
      case BtfKind.Float: {
        const size = count * sizeOrType;
        return size <= 0xffffffff ? size : 0;
      }
      case BtfKind.Ptr: {
        const size = count * types.pointerSize;
        return size <= 0xffffffff ? size : 0;
      }
      case BtfKind.Typedef:
      case BtfKind.Volatile:
      case BtfKind.Const:
      case BtfKind.Restrict:
      case BtfKind.TypeTag:
        id = sizeOrType;
        break;
      case BtfKind.Array:
        count *= words[at + BTF_TYPE.words + 2]!;
        if (count > 0xffffffff) return 0;
        id = words[at + BTF_TYPE.words]!;
        break;
      default:
        return 0;
    }
  }
  return 0;
}

/** Reads member `index` of the struct or union whose record is at word `at`. */
export function readMember(types: RawTypes, at: number, index: number, member: RawMember): void {
  const { words } = types;
  const record = at + BTF_TYPE.words + index * 3;
  const offset = words[record + 2]!;
  member.type = words[record + 1]!;
  if (infoFlag(words[at + BTF_TYPE.info]!)) {
    member.offset = offset & 0xffffff;
    member.bits = offset >>> 24;
  } else {
    member.offset = offset;
    member.bits = 0;
  }
}

/**
 * One type as the words of its record.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { BtfIntEncoding, BtfKind, BtfMax } from "../../uapi/mod.ts";
import type { BtfType, CompositeType, EnumType, IntType, Linkage } from "../types.ts";

/** Gives ids to types and offsets to strings. */
export interface TypeSink {
  /** The id of a type that a record refers to. */
  typeId(type: BtfType): number;
  /** The offset of a string. */
  stringOffset(text: string): number;
}

const LINKAGE: { readonly [L in Linkage]: number } = { static: 0, global: 1, extern: 2 };

/** Largest bit offset of a member in a struct that has bitfields: 24 bits are left for it. */
const MAX_BITFIELD_OFFSET = 0xffffff;

/**
 * The words of a type's record: `struct btf_type` and what follows it. `void` has none.
 *
 * @throws {FormatError} if the type has something that BTF cannot say.
 */
export function encodeType(type: BtfType, sink: TypeSink): number[] {
  const name = sink.stringOffset(type.name);
  const record = (vlen: number, sizeOrType: number, trailer: readonly number[] = [], flag = false): number[] => {
    if (vlen > BtfMax.BTF_MAX_VLEN) fail(type, `${vlen} elements are more than BTF can count`);
    return [name, ((flag ? 1 << 31 : 0) | type.kind << 24 | vlen) >>> 0, sizeOrType, ...trailer];
  };
  switch (type.kind) {
    case BtfKind.Unknown:
      return [];
    case BtfKind.Int:
      return record(0, type.size, [intWord(type)]);
    case BtfKind.Ptr:
    case BtfKind.Typedef:
    case BtfKind.Volatile:
    case BtfKind.Const:
    case BtfKind.Restrict:
      return record(0, sink.typeId(type.target));
    case BtfKind.TypeTag:
      return record(0, sink.typeId(type.target), [], type.attribute);
    case BtfKind.DeclTag:
      return record(0, sink.typeId(type.target), [type.componentIndex >>> 0], type.attribute);
    case BtfKind.Array:
      return record(0, 0, [sink.typeId(type.element), sink.typeId(type.index), type.length]);
    case BtfKind.Struct:
    case BtfKind.Union: {
      const hasBitfields = type.members.some((member) => member.bitfieldBits !== 0);
      return record(type.members.length, type.size, memberWords(type, hasBitfields, sink), hasBitfields);
    }
    case BtfKind.Enum:
      return record(type.values.length, type.size, enumWords(type, sink), type.signed);
    case BtfKind.Enum64: {
      const words = type.values.flatMap(({ name, value }) => [
        sink.stringOffset(name),
        Number(BigInt.asUintN(32, value)),
        Number(BigInt.asUintN(32, value >> 32n)),
      ]);
      return record(type.values.length, type.size, words, type.signed);
    }
    case BtfKind.Fwd:
      return record(0, 0, [], type.union);
    case BtfKind.Func:
      return record(LINKAGE[type.linkage], sink.typeId(type.target));
    case BtfKind.FuncProto: {
      const words = type.params.flatMap((param) => [sink.stringOffset(param.name), sink.typeId(param.type)]);
      return record(type.params.length, sink.typeId(type.returns), words);
    }
    case BtfKind.Var:
      return record(0, sink.typeId(type.target), [LINKAGE[type.linkage]]);
    case BtfKind.Datasec: {
      const words = type.entries.flatMap((entry) => [sink.typeId(entry.type), entry.offset, entry.size]);
      return record(type.entries.length, type.size, words);
    }
    case BtfKind.Float:
      return record(0, type.size);
    default:
      return type satisfies never;
  }
}

function intWord(type: IntType): number {
  const encoding = (type.signed ? BtfIntEncoding.BTF_INT_SIGNED : 0) | (type.char ? BtfIntEncoding.BTF_INT_CHAR : 0) |
    (type.bool ? BtfIntEncoding.BTF_INT_BOOL : 0);
  return encoding << 24 | type.offsetBits << 16 | type.bits;
}

function memberWords(type: CompositeType, hasBitfields: boolean, sink: TypeSink): number[] {
  return type.members.flatMap((member) => {
    if (hasBitfields && member.offsetBits > MAX_BITFIELD_OFFSET) {
      fail(type, `member "${member.name}" at bit ${member.offsetBits} is too far for a struct with bitfields`);
    }
    const offset = hasBitfields ? (member.bitfieldBits << 24 | member.offsetBits) >>> 0 : member.offsetBits;
    return [sink.stringOffset(member.name), sink.typeId(member.type), offset];
  });
}

function enumWords(type: EnumType, sink: TypeSink): number[] {
  return type.values.flatMap(({ name, value }) => [sink.stringOffset(name), value >>> 0]);
}

function fail(type: BtfType, problem: string): never {
  throw new FormatError(`BTF type "${type.name}" (kind ${type.kind}): ${problem}`);
}

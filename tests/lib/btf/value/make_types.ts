/**
 * Types made by hand, as short as in C.
 *
 * @module
 */
import type {
  ArrayType,
  BtfType,
  CompositeType,
  DatasecType,
  Enum64Type,
  EnumType,
  FloatType,
  IntType,
  Member,
  PtrType,
  StructType,
  TypedefType,
  UnionType,
  VarType,
  VoidType,
} from "../../../../lib/btf/types.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";

export const VOID: VoidType = { kind: BtfKind.Unknown, id: 0, name: "" };

/** An integer that fills `size` bytes, or a legacy bitfield with `bits` and `offsetBits`. */
export function int(name: string, size: number, options: Partial<IntType> = {}): IntType {
  const plain = { signed: false, char: false, bool: false, offsetBits: 0, bits: size * 8 };
  return { kind: BtfKind.Int, id: 0, name, size, ...plain, ...options };
}

export const CHAR: IntType = int("char", 1, { signed: true });
export const BOOL: IntType = int("_Bool", 1, { bool: true });
export const U8: IntType = int("unsigned char", 1);
export const S8: IntType = int("signed char", 1, { signed: true });
export const U16: IntType = int("unsigned short", 2);
export const S16: IntType = int("short", 2, { signed: true });
export const U32: IntType = int("unsigned int", 4);
export const S32: IntType = int("int", 4, { signed: true });
export const U64: IntType = int("unsigned long long", 8);
export const S64: IntType = int("long long", 8, { signed: true });
export const U128: IntType = int("unsigned __int128", 16);
export const S128: IntType = int("__int128", 16, { signed: true });

export function float(size: number): FloatType {
  return { kind: BtfKind.Float, id: 0, name: size === 4 ? "float" : size === 8 ? "double" : "long double", size };
}

export function pointer(target: BtfType = VOID): PtrType {
  return { kind: BtfKind.Ptr, id: 0, name: "", target };
}

export function array(element: BtfType, length: number): ArrayType {
  return { kind: BtfKind.Array, id: 0, name: "", element, index: U32, length };
}

export function typedef(name: string, target: BtfType): TypedefType {
  return { kind: BtfKind.Typedef, id: 0, name, target };
}

export function modifier(kind: typeof BtfKind.Const | typeof BtfKind.Volatile, target: BtfType): BtfType {
  return { kind, id: 0, name: "", target };
}

export function enumeration(name: string, values: Record<string, number>, options: Partial<EnumType> = {}): EnumType {
  const list = Object.entries(values).map(([name, value]) => ({ name, value }));
  return { kind: BtfKind.Enum, id: 0, name, size: 4, signed: false, values: list, ...options };
}

export function enum64(name: string, values: Record<string, bigint>, options: Partial<Enum64Type> = {}): Enum64Type {
  const list = Object.entries(values).map(([name, value]) => ({ name, value }));
  return { kind: BtfKind.Enum64, id: 0, name, size: 8, signed: false, values: list, ...options };
}

/** A member at byte `offset`. */
export function member(name: string, type: BtfType, offset: number): Member {
  return { name, type, offsetBits: offset * 8, bitfieldBits: 0 };
}

/** A bitfield as `kind_flag` describes it. */
export function bitfield(name: string, type: BtfType, offsetBits: number, bitfieldBits: number): Member {
  return { name, type, offsetBits, bitfieldBits };
}

export function struct(name: string, size: number, members: Member[]): StructType {
  return { kind: BtfKind.Struct, id: 0, name, size, members };
}

export function union(name: string, size: number, members: Member[]): UnionType {
  return { kind: BtfKind.Union, id: 0, name, size, members };
}

export function variable(name: string, target: BtfType): VarType {
  return { kind: BtfKind.Var, id: 0, name, target, linkage: "global" };
}

export function datasec(name: string, size: number, entries: [VarType, number, number][]): DatasecType {
  const list = entries.map(([type, offset, size]) => ({ type, offset, size }));
  return { kind: BtfKind.Datasec, id: 0, name, size, entries: list };
}

/** Size of a type that this module made, modifiers aside. */
export function sizeOf(type: BtfType): number {
  switch (type.kind) {
    case BtfKind.Ptr:
      return 8;
    case BtfKind.Array:
      return type.length * sizeOf(type.element);
    case BtfKind.Typedef:
    case BtfKind.Const:
    case BtfKind.Volatile:
      return sizeOf(type.target);
    default:
      return "size" in type ? type.size : 0;
  }
}

/** The alignment that C gives it. */
export function alignOf(type: BtfType): number {
  switch (type.kind) {
    case BtfKind.Array:
      return alignOf(type.element);
    case BtfKind.Struct:
    case BtfKind.Union:
      return Math.max(1, ...type.members.map((one) => alignOf(one.type)));
    case BtfKind.Typedef:
    case BtfKind.Const:
    case BtfKind.Volatile:
      return alignOf(type.target);
    default:
      return sizeOf(type);
  }
}

/** A struct or union whose members lie where C puts them. */
export function layOut(name: string, members: [string, BtfType][], kind: "struct" | "union" = "struct"): CompositeType {
  let end = 0;
  let size = 0;
  let align = 1;
  const placed = members.map(([name, type]) => {
    const alignment = alignOf(type);
    const offset = kind === "union" ? 0 : Math.ceil(end / alignment) * alignment;
    end = offset + sizeOf(type);
    size = Math.max(size, end);
    align = Math.max(align, alignment);
    return member(name, type, offset);
  });
  size = Math.ceil(size / align) * align;
  return kind === "union" ? union(name, size, placed) : struct(name, size, placed);
}

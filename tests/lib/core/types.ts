/**
 * Hand-made types, and BTF made of them, for the tests of CO-RE.
 *
 * @module
 */
import { BtfKind } from "../../../lib/uapi/mod.ts";
import type { ByteOrder } from "../../../lib/bytes.ts";
import {
  type ArrayType,
  Btf,
  BtfBuilder,
  type BtfType,
  type ConstType,
  type CoreRelocation,
  type Enum64Type,
  type EnumType,
  type FloatType,
  type FuncProtoType,
  type FuncType,
  type FwdType,
  type IntType,
  type Member,
  type PtrType,
  type StructType,
  type TypedefType,
  type UnionType,
  type VoidType,
} from "../../../lib/btf/mod.ts";
import type { CoreTarget } from "../../../lib/core/mod.ts";

export const VOID: VoidType = { kind: BtfKind.Unknown, id: 0, name: "" };

export function int(name: string, size: number, options: Partial<IntType> = {}): IntType {
  return {
    kind: BtfKind.Int,
    id: 0,
    name,
    size,
    signed: false,
    char: false,
    bool: false,
    offsetBits: 0,
    bits: size * 8,
    ...options,
  };
}

export const U8: IntType = int("unsigned char", 1);
export const U16: IntType = int("unsigned short", 2);
export const U32: IntType = int("unsigned int", 4);
export const U64: IntType = int("unsigned long", 8);
export const S32: IntType = int("int", 4, { signed: true });
export const S64: IntType = int("long", 8, { signed: true });

export function ptr(target: BtfType): PtrType {
  return { kind: BtfKind.Ptr, id: 0, name: "", target };
}

export function array(element: BtfType, length: number): ArrayType {
  return { kind: BtfKind.Array, id: 0, name: "", element, index: U32, length };
}

export function member(name: string, type: BtfType, offsetBits: number, bitfieldBits = 0): Member {
  return { name, type, offsetBits, bitfieldBits };
}

export function struct(name: string, size: number, members: Member[]): StructType {
  return { kind: BtfKind.Struct, id: 0, name, size, members };
}

export function union(name: string, size: number, members: Member[]): UnionType {
  return { kind: BtfKind.Union, id: 0, name, size, members };
}

export function enumeration(name: string, values: Record<string, number>, options: Partial<EnumType> = {}): EnumType {
  const list = Object.entries(values).map(([name, value]) => ({ name, value }));
  return { kind: BtfKind.Enum, id: 0, name, size: 4, signed: false, values: list, ...options };
}

export function enumeration64(
  name: string,
  values: Record<string, bigint>,
  options: Partial<Enum64Type> = {},
): Enum64Type {
  const list = Object.entries(values).map(([name, value]) => ({ name, value }));
  return { kind: BtfKind.Enum64, id: 0, name, size: 8, signed: false, values: list, ...options };
}

export function fwd(name: string, union = false): FwdType {
  return { kind: BtfKind.Fwd, id: 0, name, union };
}

export function typedef(name: string, target: BtfType): TypedefType {
  return { kind: BtfKind.Typedef, id: 0, name, target };
}

export function constant(target: BtfType): ConstType {
  return { kind: BtfKind.Const, id: 0, name: "", target };
}

export function float(name: string, size: number): FloatType {
  return { kind: BtfKind.Float, id: 0, name, size };
}

export function proto(returns: BtfType, ...params: BtfType[]): FuncProtoType {
  return { kind: BtfKind.FuncProto, id: 0, name: "", returns, params: params.map((type) => ({ name: "", type })) };
}

export function func(name: string, target: BtfType): FuncType {
  return { kind: BtfKind.Func, id: 0, name, target, linkage: "global" };
}

/** BTF of the given types. */
export function btfOf(types: readonly BtfType[], order: ByteOrder = "little"): Btf {
  const builder = new BtfBuilder({ order });
  for (const type of types) builder.add(type);
  return Btf.parse(builder.encode());
}

/** A target of the given types. */
export function target(types: readonly BtfType[], name = "vmlinux", order: ByteOrder = "little"): CoreTarget {
  return { btf: btfOf(types, order), name };
}

/** BTF of a module: continues `base` (whose string section is `base.stringEnd` long) with structs that have no members. */
export function moduleBytes(base: Btf, names: readonly string[]): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(`${names.join("\0")}\0`);
  const view = new DataView(new ArrayBuffer(24 + names.length * 12 + text.length));
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [24, 0, names.length * 12, names.length * 12, text.length].forEach((word, i) =>
    view.setUint32(4 + i * 4, word, true)
  );
  let nameOffset = base.stringEnd;
  names.forEach((name, i) => {
    view.setUint32(24 + i * 12, nameOffset, true);
    view.setUint32(28 + i * 12, BtfKind.Struct << 24, true);
    nameOffset += name.length + 1;
  });
  const bytes = new Uint8Array(view.buffer);
  bytes.set(text, 24 + names.length * 12);
  return bytes;
}

/** Relocations of one little- or big-endian object, in its order. */
export function relocations(
  list: readonly Omit<CoreRelocation, "btf" | "index">[],
  order: ByteOrder = "little",
): CoreRelocation[] {
  const btf = btfOf([U32], order);
  return list.map((relocation, index) => ({ ...relocation, btf, index }));
}

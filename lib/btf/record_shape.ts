/**
 * Where the records of each kind hold references to strings and to types, for code that goes over raw words.
 *
 * @module
 */
import { BtfKind, BtfMax } from "../uapi/mod.ts";

/** Whether the third word of a kind's record is a type id (1) or a size or nothing (0), by kind. */
export const HEADER_REFERS: Uint8Array = new Uint8Array(BtfMax.BTF_MAX_KIND + 1);
for (
  const kind of [
    BtfKind.Ptr,
    BtfKind.Typedef,
    BtfKind.Volatile,
    BtfKind.Const,
    BtfKind.Restrict,
    BtfKind.Func,
    BtfKind.FuncProto,
    BtfKind.Var,
    BtfKind.DeclTag,
    BtfKind.TypeTag,
  ]
) HEADER_REFERS[kind] = 1;

/** No such field. */
export const ABSENT = 0xff;

/** What the elements behind `struct btf_type` are made of, by kind, in words from an element's start. */
export interface ElementShapes {
  /** Words of an element; 0 where `vlen` counts no elements. */
  readonly stride: Uint8Array;
  /** Where its string is, or {@linkcode ABSENT}. */
  readonly name: Uint8Array;
  /** Where its type id is, or {@linkcode ABSENT}. */
  readonly type: Uint8Array;
}

/** Elements of each kind. An array's two type ids are no elements: see {@linkcode elementCount}. */
export const ELEMENTS: ElementShapes = {
  stride: new Uint8Array(BtfMax.BTF_MAX_KIND + 1),
  name: new Uint8Array(BtfMax.BTF_MAX_KIND + 1).fill(ABSENT),
  type: new Uint8Array(BtfMax.BTF_MAX_KIND + 1).fill(ABSENT),
};
for (
  const [kind, stride, name, type] of [
    [BtfKind.Struct, 3, 0, 1],
    [BtfKind.Union, 3, 0, 1],
    [BtfKind.Enum, 2, 0, ABSENT],
    [BtfKind.Enum64, 3, 0, ABSENT],
    [BtfKind.FuncProto, 2, 0, 1],
    [BtfKind.Datasec, 3, ABSENT, 0],
    // `struct btf_array` starts with the ids of the element's and the index's type.
    [BtfKind.Array, 1, ABSENT, 0],
  ] as const
) {
  ELEMENTS.stride[kind] = stride;
  ELEMENTS.name[kind] = name;
  ELEMENTS.type[kind] = type;
}

/** Number of elements as {@linkcode ELEMENTS} describes them: `vlen`, but two for an array. */
export function elementCount(kind: number, vlen: number): number {
  if (kind === BtfKind.Array) return 2;
  return ELEMENTS.stride[kind] === 0 ? 0 : vlen;
}

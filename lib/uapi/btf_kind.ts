/**
 * Kinds of BTF types (linux/btf.h). Written by hand: the kernel's enum has no name and shouts, and code that switches
 * on kinds reads better with the names that BTF's documentation uses.
 *
 * @module
 */

/** Kinds of BTF types (`BTF_KIND_*`). Linux 5.2 knows those up to Datasec, 6.0 all. */
export const BtfKind = {
  Unknown: 0,
  Int: 1,
  Ptr: 2,
  Array: 3,
  Struct: 4,
  Union: 5,
  Enum: 6,
  Fwd: 7,
  Typedef: 8,
  Volatile: 9,
  Const: 10,
  Restrict: 11,
  Func: 12,
  FuncProto: 13,
  Var: 14,
  Datasec: 15,
  Float: 16,
  DeclTag: 17,
  TypeTag: 18,
  Enum64: 19,
} as const;
/** A value of {@linkcode BtfKind}. */
export type BtfKind = (typeof BtfKind)[keyof typeof BtfKind];

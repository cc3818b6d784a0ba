/**
 * BTF types as values: a union discriminated by `kind`, whose references are resolved on demand.
 *
 * Types read from BTF decode what they refer to when asked, so a graph with cycles is safe to hold; types made by hand
 * are plain objects of the same shape. Facts: linux/btf.h and Documentation/bpf/btf.rst (Linux 6.18).
 *
 * @module
 */
import type { BtfKind } from "../uapi/mod.ts";

/** What every type has. */
interface TypeBase {
  /** Id in the BTF that it was read from; 0 for `void` and for a type made by hand. */
  readonly id: number;
  /** Name; empty for anonymous types and kinds without one. */
  readonly name: string;
}

/** `void`: type id 0. */
export interface VoidType extends TypeBase {
  readonly kind: typeof BtfKind.Unknown;
}

/** An integer, `char` and `bool` included. */
export interface IntType extends TypeBase {
  readonly kind: typeof BtfKind.Int;
  /** Storage in bytes: 1, 2, 4, 8 or 16. */
  readonly size: number;
  readonly signed: boolean;
  readonly char: boolean;
  readonly bool: boolean;
  /** Offset of the value's first bit in its storage; nonzero only in legacy bitfields. */
  readonly offsetBits: number;
  /** Number of bits of the value. */
  readonly bits: number;
}

/** A pointer. */
export interface PtrType extends TypeBase {
  readonly kind: typeof BtfKind.Ptr;
  readonly target: BtfType;
}

/** An array. */
export interface ArrayType extends TypeBase {
  readonly kind: typeof BtfKind.Array;
  readonly element: BtfType;
  readonly index: BtfType;
  /** Number of elements; 0 for a flexible array. */
  readonly length: number;
}

/** A member of a struct or union. */
export interface Member {
  /** Empty for an anonymous struct or union. */
  readonly name: string;
  readonly type: BtfType;
  /** Offset of the member's first bit from the start of the struct. */
  readonly offsetBits: number;
  /** Width of a bitfield; 0 for a plain member. Legacy bitfields say so in their `IntType` only. */
  readonly bitfieldBits: number;
}

/** A struct. */
export interface StructType extends TypeBase {
  readonly kind: typeof BtfKind.Struct;
  /** Size in bytes. */
  readonly size: number;
  readonly members: readonly Member[];
}

/** A union. */
export interface UnionType extends TypeBase {
  readonly kind: typeof BtfKind.Union;
  /** Size in bytes. */
  readonly size: number;
  readonly members: readonly Member[];
}

/** A name for a value of an enum. */
export interface EnumValue {
  readonly name: string;
  readonly value: number;
}

/** A name for a value of a 64-bit enum. */
export interface Enum64Value {
  readonly name: string;
  readonly value: bigint;
}

/** An enum of at most 32-bit values. */
export interface EnumType extends TypeBase {
  readonly kind: typeof BtfKind.Enum;
  /** Size in bytes: 1, 2, 4 or 8. */
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly EnumValue[];
}

/** A forward declaration of a struct or union. */
export interface FwdType extends TypeBase {
  readonly kind: typeof BtfKind.Fwd;
  readonly union: boolean;
}

/** A typedef. */
export interface TypedefType extends TypeBase {
  readonly kind: typeof BtfKind.Typedef;
  readonly target: BtfType;
}

/** `volatile`. */
export interface VolatileType extends TypeBase {
  readonly kind: typeof BtfKind.Volatile;
  readonly target: BtfType;
}

/** `const`. */
export interface ConstType extends TypeBase {
  readonly kind: typeof BtfKind.Const;
  readonly target: BtfType;
}

/** `restrict`. */
export interface RestrictType extends TypeBase {
  readonly kind: typeof BtfKind.Restrict;
  readonly target: BtfType;
}

/** Linkage of a function or variable (`enum btf_func_linkage`, `BTF_VAR_*`). */
export type Linkage = "static" | "global" | "extern";

/** A function with a name. */
export interface FuncType extends TypeBase {
  readonly kind: typeof BtfKind.Func;
  /** Its prototype. */
  readonly target: BtfType;
  readonly linkage: Linkage;
}

/** A parameter of a function prototype; a last one of type `void` stands for `...`. */
export interface Param {
  readonly name: string;
  readonly type: BtfType;
}

/** The type of a function. */
export interface FuncProtoType extends TypeBase {
  readonly kind: typeof BtfKind.FuncProto;
  readonly returns: BtfType;
  readonly params: readonly Param[];
}

/** A global variable. */
export interface VarType extends TypeBase {
  readonly kind: typeof BtfKind.Var;
  readonly target: BtfType;
  readonly linkage: Linkage;
}

/** Where a variable lies in its section. */
export interface DatasecEntry {
  /** The variable (or, in `.ksyms`, the function). */
  readonly type: BtfType;
  /** Offset in bytes from the section's start; clang leaves 0, the object file's symbols know. */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: number;
}

/** A section of global variables. */
export interface DatasecType extends TypeBase {
  readonly kind: typeof BtfKind.Datasec;
  /** Size in bytes; clang leaves 0. */
  readonly size: number;
  readonly entries: readonly DatasecEntry[];
}

/** A floating point number (5.13). */
export interface FloatType extends TypeBase {
  readonly kind: typeof BtfKind.Float;
  /** Size in bytes. */
  readonly size: number;
}

/** `btf_decl_tag`: a word about a declaration (5.16). */
export interface DeclTagType extends TypeBase {
  readonly kind: typeof BtfKind.DeclTag;
  readonly target: BtfType;
  /** Index of the member or parameter that is meant; -1 for the whole declaration. */
  readonly componentIndex: number;
  /** Whether the name is a whole attribute (`__attribute__((NAME))`) instead of a tag's word (6.15). */
  readonly attribute?: boolean;
}

/** `btf_type_tag`: a word about what a pointer points at (5.17). */
export interface TypeTagType extends TypeBase {
  readonly kind: typeof BtfKind.TypeTag;
  readonly target: BtfType;
  /** Whether the name is a whole attribute (`__attribute__((NAME))`) instead of a tag's word (6.15). */
  readonly attribute?: boolean;
}

/** An enum of 64-bit values (6.0). */
export interface Enum64Type extends TypeBase {
  readonly kind: typeof BtfKind.Enum64;
  /** Size in bytes: 1, 2, 4 or 8. */
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly Enum64Value[];
}

/** Any BTF type. */
export type BtfType =
  | VoidType
  | IntType
  | PtrType
  | ArrayType
  | StructType
  | UnionType
  | EnumType
  | FwdType
  | TypedefType
  | VolatileType
  | ConstType
  | RestrictType
  | FuncType
  | FuncProtoType
  | VarType
  | DatasecType
  | FloatType
  | DeclTagType
  | TypeTagType
  | Enum64Type;

/** A struct or a union. */
export type CompositeType = StructType | UnionType;

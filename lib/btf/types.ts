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
export interface TypeBase {
  /** Id in the BTF that it was read from; 0 for `void` and for a type made by hand. */
  readonly id: number;
  /** Name; empty for anonymous types and kinds without one. */
  readonly name: string;
}

/** `void`: type id 0. */
export interface VoidType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Unknown;
}

/** An integer, `char` and `bool` included. */
export interface IntType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Int;
  /** Storage in bytes: 1, 2, 4, 8 or 16. */
  readonly size: number;
  /** Whether values can be negative. */
  readonly signed: boolean;
  /** Whether it is meant as a character; clang marks `char` as signed only. */
  readonly char: boolean;
  /** Whether it is a boolean. */
  readonly bool: boolean;
  /** Offset of the value's first bit in its storage; nonzero only in legacy bitfields. */
  readonly offsetBits: number;
  /** Number of bits of the value. */
  readonly bits: number;
}

/** A pointer. */
export interface PtrType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Ptr;
  /** What it points at. */
  readonly target: BtfType;
}

/** An array. */
export interface ArrayType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Array;
  /** Type of an element. */
  readonly element: BtfType;
  /** Type of the index; says nothing about the array. */
  readonly index: BtfType;
  /** Number of elements; 0 for a flexible array. */
  readonly length: number;
}

/** A member of a struct or union. */
export interface Member {
  /** Empty for an anonymous struct or union. */
  readonly name: string;
  /** Type of the member. */
  readonly type: BtfType;
  /** Offset of the member's first bit from the start of the struct. */
  readonly offsetBits: number;
  /** Width of a bitfield; 0 for a plain member. Legacy bitfields say so in their `IntType` only. */
  readonly bitfieldBits: number;
}

/** A struct. */
export interface StructType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Struct;
  /** Size in bytes. */
  readonly size: number;
  /** Members in the order of their declaration. */
  readonly members: readonly Member[];
}

/** A union. */
export interface UnionType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Union;
  /** Size in bytes. */
  readonly size: number;
  /** Members in the order of their declaration. */
  readonly members: readonly Member[];
}

/** A name for a value of an enum. */
export interface EnumValue {
  /** The name. */
  readonly name: string;
  /** The value. */
  readonly value: number;
}

/** A name for a value of a 64-bit enum. */
export interface Enum64Value {
  /** The name. */
  readonly name: string;
  /** The value. */
  readonly value: bigint;
}

/** An enum of at most 32-bit values. */
export interface EnumType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Enum;
  /** Size in bytes: 1, 2, 4 or 8. */
  readonly size: number;
  /** Whether values can be negative. */
  readonly signed: boolean;
  /** Names and their values in the order of their declaration. */
  readonly values: readonly EnumValue[];
}

/** A forward declaration of a struct or union. */
export interface FwdType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Fwd;
  /** Whether a union is declared; a struct otherwise. */
  readonly union: boolean;
}

/** A typedef. */
export interface TypedefType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Typedef;
  /** What it is another name of. */
  readonly target: BtfType;
}

/** `volatile`. */
export interface VolatileType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Volatile;
  /** What is volatile. */
  readonly target: BtfType;
}

/** `const`. */
export interface ConstType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Const;
  /** What is constant. */
  readonly target: BtfType;
}

/** `restrict`. */
export interface RestrictType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Restrict;
  /** The pointer that is restricted. */
  readonly target: BtfType;
}

/** Linkage of a function or variable (`enum btf_func_linkage`, `BTF_VAR_*`). */
export type Linkage = "static" | "global" | "extern";

/** A function with a name. */
export interface FuncType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Func;
  /** Its prototype. */
  readonly target: BtfType;
  /** How far it is seen. */
  readonly linkage: Linkage;
}

/** A parameter of a function prototype; a last one of type `void` stands for `...`. */
export interface Param {
  /** Name; empty in the prototype of a function pointer type. */
  readonly name: string;
  /** Type of the parameter. */
  readonly type: BtfType;
}

/** The type of a function. */
export interface FuncProtoType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.FuncProto;
  /** Type of the result. */
  readonly returns: BtfType;
  /** Parameters in order. */
  readonly params: readonly Param[];
}

/** A global variable. */
export interface VarType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Var;
  /** Type of the variable. */
  readonly target: BtfType;
  /** How far it is seen. */
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
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Datasec;
  /** Size in bytes; clang leaves 0. */
  readonly size: number;
  /** Variables in the order of their offsets. */
  readonly entries: readonly DatasecEntry[];
}

/** A floating point number (5.13). */
export interface FloatType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Float;
  /** Size in bytes. */
  readonly size: number;
}

/** `btf_decl_tag`: a word about a declaration (5.16). */
export interface DeclTagType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.DeclTag;
  /** What is tagged: a struct, union, typedef, variable or function. */
  readonly target: BtfType;
  /** Index of the member or parameter that is meant; -1 for the whole declaration. */
  readonly componentIndex: number;
  /** Whether the name is a whole attribute (`__attribute__((NAME))`) instead of a tag's word (6.15). */
  readonly attribute?: boolean;
}

/** `btf_type_tag`: a word about what a pointer points at (5.17). */
export interface TypeTagType extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.TypeTag;
  /** What is tagged. */
  readonly target: BtfType;
  /** Whether the name is a whole attribute (`__attribute__((NAME))`) instead of a tag's word (6.15). */
  readonly attribute?: boolean;
}

/** An enum of 64-bit values (6.0). */
export interface Enum64Type extends TypeBase {
  /** Which kind of type this is. */
  readonly kind: typeof BtfKind.Enum64;
  /** Size in bytes: 1, 2, 4 or 8. */
  readonly size: number;
  /** Whether values can be negative. */
  readonly signed: boolean;
  /** Names and their values in the order of their declaration. */
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

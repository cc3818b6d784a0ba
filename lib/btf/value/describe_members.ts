/**
 * What the members of a value are, for those who print tables or write type declarations.
 *
 * @module
 */
import type { BtfType } from "../types.ts";
import { variantOf } from "./codec.ts";
import { type Layout, layoutName } from "./layout.ts";
import type { CodecOptions } from "./value.ts";

/** What JavaScript value a member has. */
export type ValueKind =
  | "number"
  | "bigint"
  | "boolean"
  | "text"
  | "enum"
  | "pointer"
  | "float"
  | "bytes"
  | "array"
  | "object";

/** A member of a struct, a union or a section of variables, as the codec sees it. */
export interface MemberDescription {
  /** Its name; members of anonymous structs and unions are listed like the others. */
  readonly name: string;
  /** Offset of its first byte. */
  readonly offset: number;
  /** Number of bytes that it touches, without the elements of a flexible array. */
  readonly size: number;
  /** What JavaScript value it has. */
  readonly kind: ValueKind;
  /** For an array, what its elements are. */
  readonly elementKind: ValueKind | undefined;
  /** What C calls its type: `u16`, `char[16]`, `struct address`. */
  readonly typeName: string;
}

/**
 * The members of a value of `type`, in the order in which the codec gives them; none for a type without members.
 *
 * @throws {FormatError} if the type contradicts itself.
 * @throws {UnsupportedError} if it has no size.
 */
export function describeMembers(type: BtfType, options: CodecOptions): MemberDescription[] {
  const layout = variantOf(options).layouts.build(type);
  if (!("fields" in layout)) return [];
  return [...layout.fields.values()].map(({ name, offset, layout: member }) => ({
    name,
    offset,
    size: member.size,
    kind: kindOf(member),
    elementKind: member.kind === "array" ? kindOf(member.element) : undefined,
    typeName: layoutName(member),
  }));
}

function kindOf(layout: Layout): ValueKind {
  switch (layout.kind) {
    case "int":
      return layout.size > 4 ? "bigint" : "number";
    case "bool":
      return "boolean";
    case "bits":
      if (typeof layout.meaning === "object") return "enum";
      return layout.meaning === "bool" ? "boolean" : layout.bits > 32 ? "bigint" : "number";
    case "struct":
    case "union":
    case "datasec":
      return "object";
    default:
      return layout.kind;
  }
}

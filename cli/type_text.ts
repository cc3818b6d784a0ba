/**
 * A BTF type in a few words of C: `struct event`, `const volatile u32`, `char[16]`.
 *
 * @module
 */
import type { BtfType } from "../lib/btf/mod.ts";
import { BtfKind } from "../lib/uapi/mod.ts";

/** The type's C name; what it is made of is not told. */
export function typeText(type: BtfType): string {
  switch (type.kind) {
    case BtfKind.Unknown:
      return "void";
    case BtfKind.Ptr: {
      const target = typeText(type.target);
      return target.endsWith("*") ? `${target}*` : `${target} *`;
    }
    case BtfKind.Array:
      return arrayText(type);
    case BtfKind.Struct:
      return `struct ${type.name || "{...}"}`;
    case BtfKind.Union:
      return `union ${type.name || "{...}"}`;
    case BtfKind.Enum:
    case BtfKind.Enum64:
      return `enum ${type.name || "{...}"}`;
    case BtfKind.Fwd:
      return `${type.union ? "union" : "struct"} ${type.name}`;
    case BtfKind.Const:
      return qualified("const", type.target);
    case BtfKind.Volatile:
      return qualified("volatile", type.target);
    case BtfKind.Restrict:
      return qualified("restrict", type.target);
    case BtfKind.TypeTag:
      return typeText(type.target);
    case BtfKind.FuncProto:
      return `${typeText(type.returns)} (${type.params.map((param) => typeText(param.type)).join(", ") || "void"})`;
    case BtfKind.Func:
    case BtfKind.Var:
    case BtfKind.DeclTag:
      return typeText(type.target);
    case BtfKind.Int:
    case BtfKind.Typedef:
    case BtfKind.Datasec:
    case BtfKind.Float:
      return type.name;
    default:
      return type satisfies never;
  }
}

/** A qualifier stands before what it qualifies, but behind the star of a pointer. */
function qualified(word: string, target: BtfType): string {
  return target.kind === BtfKind.Ptr ? `${typeText(target)} ${word}` : `${word} ${typeText(target)}`;
}

/** The dimensions of an array of arrays stand in the order in which they are indexed. */
function arrayText(type: BtfType): string {
  let dimensions = "";
  while (type.kind === BtfKind.Array) {
    dimensions += `[${type.length === 0 ? "" : type.length}]`;
    type = type.element;
  }
  return typeText(type) + dimensions;
}

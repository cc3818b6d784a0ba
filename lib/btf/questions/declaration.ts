/**
 * A type as C declares something of it.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import type { BtfType } from "../types.ts";

/** References that are followed before a text ends with "...": a cycle, or nothing for people. */
const MAX_DEPTH = 32;

/**
 * C's declaration of something called `name`, or without a name the type as it stands in a cast. Structs, unions and enums
 * without names are written out.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { BtfKind } from "../../uapi/mod.ts";
 *
 * const file = { kind: BtfKind.Struct, id: 0, name: "file", size: 0, members: [] } as const;
 * const pointer = { kind: BtfKind.Ptr, id: 0, name: "", target: file } as const;
 * assertEquals(formatDeclaration(pointer, "f"), "struct file *f");
 * assertEquals(formatDeclaration(pointer), "struct file *");
 * ```
 */
export function formatDeclaration(type: BtfType, name: string = ""): string {
  return declare(type, name, 0, true);
}

/** The same without a name, and without those of parameters, which change without a meaning. */
export function formatShape(type: BtfType): string {
  return declare(type, "", 0, false);
}

/** `inner`: what C writes where the name stands, from the name outwards. */
function declare(type: BtfType, inner: string, depth: number, named: boolean): string {
  if (depth > MAX_DEPTH) return joined("...", inner);
  const next = depth + 1;
  switch (type.kind) {
    case BtfKind.Unknown:
      return joined("void", inner);
    case BtfKind.Struct:
    case BtfKind.Union: {
      const keyword = type.kind === BtfKind.Struct ? "struct" : "union";
      if (type.name !== "") return joined(`${keyword} ${type.name}`, inner);
      const members = type.members.map(({ name, type, bitfieldBits }) =>
        `${declare(type, name, next, named)}${bitfieldBits === 0 ? "" : `:${bitfieldBits}`};`
      );
      return joined([keyword, "{", ...members, "}"].join(" "), inner);
    }
    case BtfKind.Enum:
    case BtfKind.Enum64: {
      if (type.name !== "") return joined(`enum ${type.name}`, inner);
      const values = type.values.map(({ name, value }) => `${name} = ${value}`).join(", ");
      return joined(`enum { ${values} }`, inner);
    }
    case BtfKind.Fwd:
      return joined(`${type.union ? "union" : "struct"} ${type.name}`, inner);
    case BtfKind.Int:
    case BtfKind.Float:
    case BtfKind.Typedef:
    case BtfKind.Datasec:
      return joined(type.name, inner);
    case BtfKind.Ptr:
      return declare(type.target, `*${inner}`, next, named);
    case BtfKind.Array:
      return declare(type.element, `${bracketed(inner)}[${type.length === 0 ? "" : type.length}]`, next, named);
    case BtfKind.Const:
      return qualified("const", type.target, inner, next, named);
    case BtfKind.Volatile:
      return qualified("volatile", type.target, inner, next, named);
    case BtfKind.Restrict:
      return qualified("restrict", type.target, inner, next, named);
    case BtfKind.TypeTag:
      return declare(type.target, inner, next, named);
    case BtfKind.FuncProto: {
      const params = type.params.map((param, index) => {
        const isRest = param.type.kind === BtfKind.Unknown && index === type.params.length - 1;
        return isRest ? "..." : declare(param.type, named ? param.name : "", next, named);
      });
      return declare(
        type.returns,
        `${bracketed(inner)}(${params.length === 0 ? "void" : params.join(", ")})`,
        next,
        named,
      );
    }
    case BtfKind.Func:
    case BtfKind.Var:
      return declare(type.target, inner === "" ? type.name : inner, next, named);
    case BtfKind.DeclTag:
      return declare(type.target, inner, next, named);
    default:
      return type satisfies never;
  }
}

/** A qualifier of a pointer stands behind its star, any other before the type. */
function qualified(word: string, target: BtfType, inner: string, depth: number, named: boolean): string {
  if (target.kind === BtfKind.Ptr) return declare(target, joined(word, inner), depth, named);
  return `${word} ${declare(target, inner, depth, named)}`;
}

/** A pointer to an array or a function needs parentheses: what is behind the name binds closer. */
function bracketed(inner: string): string {
  return inner.startsWith("*") ? `(${inner})` : inner;
}

function joined(type: string, inner: string): string {
  return inner === "" || inner.startsWith("[") ? type + inner : `${type} ${inner}`;
}

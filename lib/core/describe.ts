/**
 * Types and accesses as C text, for people who read why a relocation came out as it did.
 *
 * @module
 */
import { BtfKind } from "../uapi/mod.ts";
import type { BtfType } from "../btf/mod.ts";
import type { AccessSpec } from "./access_spec.ts";

/** A chain of references longer than this is a cycle, or no text for people. */
const MAX_DEPTH = 16;

/** `type` as C names it in a cast: `struct task_struct`, `char[16]`, `const struct file *`. */
export function describeType(type: BtfType): string {
  return write(type, 0);
}

function write(type: BtfType, depth: number): string {
  if (depth > MAX_DEPTH) return "...";
  switch (type.kind) {
    case BtfKind.Unknown:
      return "void";
    case BtfKind.Struct:
      return tagged("struct", type.name);
    case BtfKind.Union:
      return tagged("union", type.name);
    case BtfKind.Enum:
    case BtfKind.Enum64:
      return tagged("enum", type.name);
    case BtfKind.Fwd:
      return tagged(type.union ? "union" : "struct", type.name);
    case BtfKind.Int:
    case BtfKind.Float:
    case BtfKind.Typedef:
    case BtfKind.Var:
    case BtfKind.Func:
    case BtfKind.Datasec:
      return type.name === "" ? "(anonymous)" : type.name;
    case BtfKind.Ptr: {
      const target = write(type.target, depth + 1);
      return target.endsWith("*") ? `${target}*` : `${target} *`;
    }
    case BtfKind.Array:
      return describeArray(write(type.element, depth + 1), type.length);
    case BtfKind.Const:
      return qualified("const", type.target, depth);
    case BtfKind.Volatile:
      return qualified("volatile", type.target, depth);
    case BtfKind.Restrict:
      return qualified("restrict", type.target, depth);
    case BtfKind.TypeTag:
      return write(type.target, depth + 1);
    case BtfKind.FuncProto: {
      const params = type.params.map((param) => write(param.type, depth + 1));
      return `${write(type.returns, depth + 1)} (${params.length === 0 ? "void" : params.join(", ")})`;
    }
    case BtfKind.DeclTag:
      return `declaration tag "${type.name}"`;
    default:
      return type satisfies never;
  }
}

/** The access as C names it: `struct task_struct.comm[3]`, `(struct pair)[1].second`. */
export function describeAccess(access: AccessSpec): string {
  const first = access.steps[0]!;
  let text = describeType(access.root);
  if (first.index > 0) text = `(${text})[${first.index}]`;
  for (const step of access.steps.slice(1)) {
    text += step.kind === "member" ? `.${step.member.name}` : `[${step.index}]`;
  }
  return text;
}

/** An offset in bits as bytes, with the bits where it is not a whole number: `12`, `12 + 3 bits`. */
export function describeOffset(offsetBits: number): string {
  const bits = offsetBits % 8;
  const bytes = (offsetBits - bits) / 8;
  return bits === 0 ? `${bytes}` : `${bytes} + ${bits} bits`;
}

function tagged(keyword: string, name: string): string {
  return name === "" ? `${keyword} (anonymous)` : `${keyword} ${name}`;
}

/** `const` goes before what it qualifies, and behind the star of a pointer. */
function qualified(keyword: string, target: BtfType, depth: number): string {
  const text = write(target, depth + 1);
  return target.kind === BtfKind.Ptr ? `${text} ${keyword}` : `${keyword} ${text}`;
}

/** The dimension of an outer array comes first: an array of `int[3]` is `int[2][3]`. */
function describeArray(element: string, length: number): string {
  const dimension = length === 0 ? "[]" : `[${length}]`;
  const at = element.indexOf("[");
  return at < 0 ? `${element}${dimension}` : `${element.slice(0, at)}${dimension}${element.slice(at)}`;
}

/**
 * A function's prototype in bpftool's words: `int count(struct ctx * ctx)`.
 *
 * @module
 */
import type { BtfType, FuncType } from "../../lib/btf/mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";

/** Typedefs and pointers behind one another; more is a cycle. */
const MAX_DEPTH = 32;

/** The prototype of a function. */
export function functionText(func: FuncType): string {
  return prototype(func.target, func.name, 0);
}

function prototype(type: BtfType, name: string, depth: number): string {
  if (type.kind !== BtfKind.FuncProto) return name;
  const params = type.params.map((param) =>
    param.name === "" && param.type.kind === BtfKind.Unknown
      ? "..."
      : `${before(param.type, depth)}${param.name}`.trimEnd()
  );
  return `${before(type.returns, depth)}${name}(${params.join(", ")})`;
}

/** A type as it stands before a name, with a space behind it. */
function before(type: BtfType, depth: number): string {
  if (depth > MAX_DEPTH) return "... ";
  const next = depth + 1;
  switch (type.kind) {
    case BtfKind.Unknown:
      return "void ";
    case BtfKind.Ptr:
      return `${before(type.target, next)}* `;
    case BtfKind.Const:
      return `const ${before(type.target, next)}`;
    case BtfKind.Volatile:
      return `volatile ${before(type.target, next)}`;
    case BtfKind.Restrict:
      return `restrict ${before(type.target, next)}`;
    case BtfKind.TypeTag:
      return before(type.target, next);
    case BtfKind.Struct:
      return `struct ${type.name} `;
    case BtfKind.Union:
      return `union ${type.name} `;
    case BtfKind.Enum:
    case BtfKind.Enum64:
      return `enum ${type.name} `;
    case BtfKind.Fwd:
      return `${type.union ? "union" : "struct"} ${type.name} `;
    case BtfKind.Array:
      return `${before(type.element, next)}[${type.length}] `;
    case BtfKind.FuncProto:
      return prototype(type, "", next);
    default:
      return `${type.name} `;
  }
}

/**
 * Questions about types that follow references: what is behind typedefs and modifiers, how large something is.
 *
 * @module
 */
import { FormatError } from "../errors.ts";
import { BtfKind } from "../uapi/mod.ts";
import type { BtfType } from "./types.ts";

/** References that are followed before a chain counts as a cycle; C code has a handful (the kernel allows 32). */
const MAX_CHAIN = 512;

/** Sizes in BTF are 32 bits. */
const MAX_SIZE = 0xffffffff;

/**
 * What is behind `const`, `volatile`, `restrict` and type tags.
 *
 * @throws {FormatError} if the chain is a cycle.
 */
export function skipModifiers(type: BtfType): BtfType {
  let behind = type;
  for (let steps = 0; steps < MAX_CHAIN; steps++) {
    switch (behind.kind) {
      case BtfKind.Const:
      case BtfKind.Volatile:
      case BtfKind.Restrict:
      case BtfKind.TypeTag:
        behind = behind.target;
        break;
      default:
        return behind;
    }
  }
  throw cycle(type);
}

/**
 * What is behind typedefs, `const`, `volatile`, `restrict` and type tags.
 *
 * @throws {FormatError} if the chain is a cycle.
 */
export function skipModifiersAndTypedefs(type: BtfType): BtfType {
  let behind = type;
  for (let steps = 0; steps < MAX_CHAIN; steps++) {
    switch (behind.kind) {
      case BtfKind.Typedef:
      case BtfKind.Const:
      case BtfKind.Volatile:
      case BtfKind.Restrict:
      case BtfKind.TypeTag:
        behind = behind.target;
        break;
      default:
        return behind;
    }
  }
  throw cycle(type);
}

/**
 * Size in bytes of a value of the type; `undefined` for what has none: `void`, functions, forward declarations, tags of
 * declarations, and arrays of such.
 *
 * @param pointerSize Size of a pointer in bytes, see `Btf.pointerSize`.
 * @throws {FormatError} if the type contains itself, or is 4 GiB or larger.
 */
export function sizeOf(type: BtfType, pointerSize: number = 8): number | undefined {
  let inner = type;
  let count = 1;
  for (let steps = 0; steps < MAX_CHAIN; steps++) {
    switch (inner.kind) {
      case BtfKind.Typedef:
      case BtfKind.Const:
      case BtfKind.Volatile:
      case BtfKind.Restrict:
      case BtfKind.TypeTag:
      case BtfKind.Var:
        inner = inner.target;
        break;
      case BtfKind.Array:
        count *= inner.length;
        inner = inner.element;
        break;
      case BtfKind.Int:
      case BtfKind.Float:
      case BtfKind.Enum:
      case BtfKind.Enum64:
      case BtfKind.Struct:
      case BtfKind.Union:
      case BtfKind.Datasec:
        return product(type, count, inner.size);
      case BtfKind.Ptr:
        return product(type, count, pointerSize);
      case BtfKind.Unknown:
      case BtfKind.Fwd:
      case BtfKind.Func:
      case BtfKind.FuncProto:
      case BtfKind.DeclTag:
        return undefined;
      default:
        return inner satisfies never;
    }
  }
  throw cycle(type);
}

function product(type: BtfType, count: number, size: number): number {
  // Not a number: an endless count of nothing, from nested arrays whose product overflowed.
  const total = count * size;
  if (!(total <= MAX_SIZE)) throw new FormatError(`${title(type)} is larger than 4 GiB`);
  return total;
}

function cycle(type: BtfType): FormatError {
  return new FormatError(`${title(type)} is defined by itself, or by more than ${MAX_CHAIN} types in a row`);
}

function title(type: BtfType): string {
  return `BTF type id ${type.id}${type.name === "" ? "" : ` ("${type.name}")`}`;
}

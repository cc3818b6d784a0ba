/**
 * Words of a command line as values of a variable.
 *
 * @module
 */
import { type BtfType, skipModifiersAndTypedefs, type Value } from "../../lib/btf/mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";

/**
 * The value that `text` means for a variable of `type`: digits (also 0x...) for numbers, `true` and `false`, the name
 * of an enum's value, text for char arrays, JSON for structs and other arrays.
 *
 * @throws {TypeError} if it means none.
 */
export function parseValue(text: string, { type }: { readonly type: BtfType }): Value {
  const bare = skipModifiersAndTypedefs(type);
  switch (bare.kind) {
    case BtfKind.Int:
      if (bare.bool) return parseBool(text);
      return bare.size > 4 ? parseInteger(text) : Number(parseInteger(text));
    case BtfKind.Ptr:
      return parseInteger(text);
    case BtfKind.Enum:
      return bare.values.some((value) => value.name === text) ? text : Number(parseInteger(text));
    case BtfKind.Enum64:
      return bare.values.some((value) => value.name === text) ? text : parseInteger(text);
    case BtfKind.Float:
      return parseFloatNumber(text);
    case BtfKind.Array: {
      const element = skipModifiersAndTypedefs(bare.element);
      if (element.kind === BtfKind.Int && element.size === 1 && !text.startsWith("[")) return text;
      return parseJson(text);
    }
    default:
      return parseJson(text);
  }
}

function parseInteger(text: string): bigint {
  if (!/^[+-]?(\d+|0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+)$/.test(text)) {
    throw new TypeError(`"${text}" is no integer`);
  }
  const negative = text.startsWith("-");
  const magnitude = BigInt(text.replace(/^[+-]/, ""));
  return negative ? -magnitude : magnitude;
}

function parseBool(text: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new TypeError(`"${text}" is neither true nor false`);
}

function parseFloatNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new TypeError(`"${text}" is no number`);
  return value;
}

function parseJson(text: string): Value {
  try {
    return JSON.parse(text) as Value;
  } catch (error) {
    throw new TypeError(`"${text}" is no JSON, which values of this type are given in`, { cause: error });
  }
}

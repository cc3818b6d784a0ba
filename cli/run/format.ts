/**
 * Values of fields as text for people.
 *
 * @module
 */
import type { Value } from "../../lib/btf/mod.ts";
import { toJson } from "../output.ts";
import { wallClock } from "./clock.ts";

/** The kinds of `--format FIELD=KIND`. */
export const VALUE_FORMATS = ["auto", "dec", "hex", "time", "ip4", "ip6", "mac"] as const;

/** How a field is shown; `auto` goes by its type. */
export type ValueFormat = (typeof VALUE_FORMATS)[number];

/** Is `text` one of {@linkcode VALUE_FORMATS}. */
export function isValueFormat(text: string): text is ValueFormat {
  return (VALUE_FORMATS as readonly string[]).includes(text);
}

/** The text of `value`: never with control characters, so that an event cannot write to the user's terminal. */
export function formatValue(value: Value, format: ValueFormat): string {
  switch (format) {
    case "hex":
      return typeof value === "number" || typeof value === "bigint" ? hex(value) : automatic(value);
    case "time":
      return typeof value === "bigint" ? wallClock(value) : automatic(value);
    case "ip4":
      return typeof value === "number" ? ip4(value) : automatic(value);
    case "ip6":
      return isByteList(value, 16) ? ip6(Array.from(value)) : automatic(value);
    case "mac":
      return isByteList(value, 6)
        ? Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join(":")
        : automatic(value);
    case "auto":
    case "dec":
      return automatic(value);
    default:
      return format satisfies never;
  }
}

function automatic(value: Value): string {
  if (typeof value === "string") return printable(value);
  if (typeof value === "object" && value !== null) return printable(toJson(value));
  return String(value);
}

/** Control characters are shown as escapes: `\n`, `\x1b`. */
// deno-fmt-ignore
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    const code = character.charCodeAt(0);
    return code === 10 ? "\\n" : code === 9 ? "\\t" : `\\x${code.toString(16).padStart(2, "0")}`;
  });
}

function hex(value: number | bigint): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function isByteList(value: Value, length: number): value is number[] | Uint8Array {
  if (value instanceof Uint8Array) return value.length === length;
  return Array.isArray(value) && value.length === length && value.every((item) => typeof item === "number");
}

/** A `__be32` that was read in the machine's own order: its bytes in memory are the address. */
function ip4(value: number): string {
  return Array.from(new Uint8Array(new Uint32Array([value]).buffer)).join(".");
}

/** RFC 5952: lower case, the longest run of zero groups as `::`. */
function ip6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, index) => (bytes[2 * index] ?? 0) << 8 | (bytes[2 * index + 1] ?? 0));
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (best.length < 2) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}

/**
 * The columns in which events of a struct type are shown: everything about them comes from the struct's BTF.
 *
 * @module
 */
import {
  type Btf,
  type BtfType,
  type CompositeType,
  type Member,
  skipModifiersAndTypedefs,
  type StructType,
  type Value,
} from "../../lib/btf/mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { DeclTags } from "../../lib/spec/mod.ts";
import { UsageError } from "../command.ts";
import { formatValue, isValueFormat, VALUE_FORMATS, type ValueFormat } from "./format.ts";

/** One column of an event table. */
export interface EventColumn {
  /** Heading: the field's path, `addr.port`. */
  readonly heading: string;
  /** Names to follow from the event to the field. */
  readonly path: readonly string[];
  /** Numbers stand right. */
  readonly right: boolean;
  /** Width that most values of the type fit in. */
  readonly width: number;
  /** How its values become text. */
  readonly format: ValueFormat;
}

/** How the user wants fields to be shown: by path (`addr.port`) or name. */
export type FieldFormats = ReadonlyMap<string, ValueFormat>;

/** What an object says about how a member is shown: `DEBPF_FORMAT(time)` of debpf.h makes such a tag. */
const FORMAT_TAG = "debpf:format:";

/** Makes the columns of struct types of one object. */
export class EventColumns {
  readonly #tags: DeclTags;
  readonly #formats: FieldFormats;

  /**
   * @param btf The object's types.
   * @param formats What the user says about fields, which comes before what the object says.
   */
  constructor(btf: Btf | undefined, formats: FieldFormats) {
    this.#tags = btf === undefined ? DeclTags.NONE : DeclTags.of(btf);
    this.#formats = formats;
  }

  /** The columns of a struct type, nested structs flattened. */
  of(type: StructType): EventColumn[] {
    return this.#composite(type, []);
  }

  #composite(type: CompositeType, parents: readonly string[]): EventColumn[] {
    return type.members.flatMap((member, index) => this.#member(member, parents, this.#tagged(type, index)));
  }

  #member(member: Member, parents: readonly string[], tagged: ValueFormat | undefined): EventColumn[] {
    const type = skipModifiersAndTypedefs(member.type);
    // Members of an anonymous struct or union are their parent's members, as in C.
    const path = member.name === "" ? parents : [...parents, member.name];
    if (type.kind === BtfKind.Struct || (type.kind === BtfKind.Union && member.name === "")) {
      return this.#composite(type, path);
    }
    if (member.name === "") return [];
    const heading = path.join(".");
    const format = this.#formats.get(heading) ?? this.#formats.get(member.name) ?? tagged ?? "auto";
    const right = isNumeric(type) && (format === "auto" || format === "dec" || format === "hex");
    return [{ heading, path, right, width: Math.max(heading.length, usualWidth(type, format)), format }];
  }

  #tagged(type: CompositeType, index: number): ValueFormat | undefined {
    const tag = this.#tags.on(type).find((tag) => tag.componentIndex === index && tag.name.startsWith(FORMAT_TAG));
    const kind = tag?.name.slice(FORMAT_TAG.length);
    return kind !== undefined && isValueFormat(kind) ? kind : undefined;
  }
}

function isNumeric(type: BtfType): boolean {
  return (type.kind === BtfKind.Int && !type.bool) || type.kind === BtfKind.Ptr || type.kind === BtfKind.Float;
}

/** Ids and counts seldom use all digits of their type: 7 for 32 bits is a process id, 12 for 64 bits. */
function usualWidth(type: BtfType, format: ValueFormat): number {
  if (format === "time") return "00:00:00.000".length;
  if (format === "ip4") return "255.255.255.255".length;
  switch (type.kind) {
    case BtfKind.Int:
      return type.size <= 1 ? 3 : type.size <= 2 ? 5 : type.size <= 4 ? 7 : 12;
    case BtfKind.Array:
      return Math.min(type.length, 16);
    case BtfKind.Ptr:
      return 18;
    default:
      return 8;
  }
}

/** The text of one column of an event. */
export function cellText(event: Value, column: EventColumn): string {
  let value: Value | undefined = event;
  for (const name of column.path) {
    if (value === null || typeof value !== "object" || Array.isArray(value) || value instanceof Uint8Array) return "";
    value = (value as Record<string, Value>)[name];
  }
  return value === undefined ? "" : formatValue(value, column.format);
}

/** `FIELD=KIND` words as formats. */
export function parseFieldFormats(words: readonly string[]): FieldFormats {
  const formats = new Map<string, ValueFormat>();
  for (const word of words) {
    const at = word.indexOf("=");
    const kind = word.slice(at + 1);
    if (at <= 0 || !isValueFormat(kind)) {
      throw new UsageError(`--format takes FIELD=KIND with KIND one of ${VALUE_FORMATS.join(", ")}, not "${word}"`);
    }
    formats.set(word.slice(0, at), kind);
  }
  return formats;
}

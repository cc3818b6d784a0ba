/**
 * Flyweight readers: one object that is laid over record after record and reads a member only when it is asked for. The
 * way to look at millions of events a second, most of which are dropped after a look at one or two members.
 *
 * @module
 */
import { UnsupportedError } from "../../errors.ts";
import type { BtfType } from "../types.ts";
import { describe } from "./build_layout.ts";
import { checkRecord, tryGenerate, variantOf } from "./codec.ts";
import { decodeField, decodeLayout } from "./decode.ts";
import { CodeScope } from "./generate.ts";
import { decodeExpression, type DecodeFunction, generateDecode } from "./generate_decode.ts";
import type { CompositeLayout, Field } from "./layout.ts";
import type { CodecOptions, StructValue, Value } from "./value.ts";

/** What every reader can do, whatever its members are. */
export interface ReaderMethods {
  /**
   * Lays the reader over the record at byte `offset` of `view`.
   *
   * @param view Where it lies; must stay as it is while members are read.
   * @param offset Offset of its first byte.
   * @param length Size of the record in bytes, for a flexible array at its end; without it that is empty.
   * @returns The reader itself.
   * @throws {FormatError} if the record lies outside `view` or is too short.
   */
  at(view: DataView, offset: number, length?: number): this;
  /** All members as a plain object, which stays when the reader moves on. */
  toObject(): StructValue;
}

/** A member as a reader gives it: structs and unions are readers too, which move with the outer one. */
export type ReaderValue = Value | Reader<ReaderMembers>;

/** Members of a record whose type is not known before the program runs. */
export interface ReaderMembers {
  /** A member. */
  readonly [member: string]: ReaderValue;
}

/**
 * A reader with a property for each member. Members called `at`, `toObject` or `constructor` have a `_` appended.
 * Before the first `at` there is nothing to read, and reading a member throws.
 */
export type Reader<T extends object = ReaderMembers> = ReaderMethods & T;

/** The class of the readers of one type. */
export interface ReaderClass<T extends object = ReaderMembers> {
  /** Makes a reader. */
  new (): Reader<T>;
  /** Size of a record in bytes, without the elements of a flexible array. */
  readonly size: number;
}

const EMPTY: DataView = new DataView(new ArrayBuffer(0));

const classes = new WeakMap<ReturnType<typeof variantOf>, WeakMap<CompositeLayout, ReaderClass>>();

/**
 * The class of flyweight readers of `type`: asking again gives the same one.
 *
 * @param type A struct, a union or a section of variables; typedefs and modifiers of one.
 * @param options How the machine lays out the type.
 * @throws {FormatError} if the type contradicts itself.
 * @throws {UnsupportedError} if it has no members.
 *
 * @example
 * ```ts
 * import { type BtfType, compileReader } from "@debpf/debpf";
 *
 * function pids(type: BtfType, records: DataView): Set<number> {
 *   const Event = compileReader<{ pid: number }>(type, { order: "little" });
 *   const event = new Event();
 *   const found = new Set<number>();
 *   for (let offset = 0; offset < records.byteLength; offset += Event.size) found.add(event.at(records, offset).pid);
 *   return found;
 * }
 * ```
 */
export function compileReader<T extends object = ReaderMembers>(
  type: BtfType,
  options: CodecOptions,
): ReaderClass<T> {
  const variant = variantOf(options);
  const layout = variant.layouts.build(type);
  if (!("fields" in layout)) {
    throw new UnsupportedError("readers of types without members", `${describe(type)}: has no members to read`);
  }
  let known = classes.get(variant);
  if (known === undefined) classes.set(variant, known = new WeakMap());
  // The caller knows the members' types; BTF is only read when the program runs.
  return classOf(layout, variant.little, variant.interpreted, known) as unknown as ReaderClass<T>;
}

function classOf(
  layout: CompositeLayout,
  little: boolean,
  interpreted: boolean,
  known: WeakMap<CompositeLayout, ReaderClass>,
): ReaderClass {
  let readerClass = known.get(layout);
  if (readerClass === undefined) {
    const members = [...layout.fields.values()].map((field): ReaderMember => ({
      field,
      property: propertyName(field.name, layout),
      inner: "fields" in field.layout ? classOf(field.layout, little, interpreted, known) : undefined,
    }));
    const generated = interpreted ? undefined : tryGenerate(() => generateClass(layout, members, little));
    readerClass = generated ?? interpretedClass(layout, members, little);
    known.set(layout, readerClass);
  }
  return readerClass;
}

/** A member and the class of its readers, if it has members itself. */
interface ReaderMember {
  readonly field: Field;
  readonly property: string;
  readonly inner: ReaderClass | undefined;
}

/** The property for a member: its name, unless the reader needs that itself. */
function propertyName(name: string, layout: CompositeLayout): string {
  if (name !== "at" && name !== "toObject" && name !== "constructor") return name;
  let property = `${name}_`;
  while (layout.fields.has(property)) property += "_";
  return property;
}

/** Private members keep the reader's own state apart from whatever names the struct has. */
function generateClass(layout: CompositeLayout, members: readonly ReaderMember[], little: boolean): ReaderClass {
  const scope = new CodeScope(little);
  const decode = scope.bind(lazyDecode(layout, little));
  const check = scope.bind(checkRecord);
  const shape = scope.bind(layout);
  const state = ["#view = EMPTY;", "#offset = 0;", "#end = 0;"];
  const getters = members.map(({ field, property, inner }, i) => {
    const end = field.tail ? "this.#end" : "0";
    const load = "const view = this.#view, offset = this.#offset;";
    if (inner === undefined) {
      const value = decodeExpression(field.layout, field.offset, end, scope);
      return `get [${JSON.stringify(property)}]() { ${load} return ${value}; }`;
    }
    state.push(`#inner${i};`);
    const length = field.tail ? `, ${end} === 0 ? undefined : ${end} - offset - ${field.offset}` : "";
    return `get [${JSON.stringify(property)}]() { ${load}
  return (this.#inner${i} ??= new ${scope.bind(inner)}()).at(view, offset + ${field.offset}${length}); }`;
  });
  return scope.run(`(EMPTY => class Reader {
static size = ${layout.size};
${state.join("\n")}
at(view, offset, length) {
  if (length !== undefined || !(offset >= 0 && offset + ${layout.leastSize} <= view.byteLength)) {
    ${check}(${shape}, ${layout.leastSize}, view, offset, length);
  }
  this.#view = view;
  this.#offset = offset;
  this.#end = length === undefined ? 0 : offset + length;
  return this;
}
toObject() { return ${decode}(this.#view, this.#offset, this.#end); }
${getters.join("\n")}
})(${scope.bind(EMPTY)})`) as ReaderClass;
}

/** Many readers are never asked for a whole object. */
function lazyDecode(layout: CompositeLayout, little: boolean): DecodeFunction {
  let decode: DecodeFunction | undefined;
  return (view, offset, end) => (decode ??= generateDecode(layout, little))(view, offset, end);
}

function interpretedClass(layout: CompositeLayout, members: readonly ReaderMember[], little: boolean): ReaderClass {
  class InterpretedReader implements ReaderMethods {
    static readonly size = layout.size;
    #view: DataView = EMPTY;
    #offset = 0;
    #end = 0;
    readonly #inner = new Map<ReaderMember, Reader>();

    static {
      for (const member of members) {
        Object.defineProperty(this.prototype, member.property, {
          get(this: InterpretedReader) {
            return this.#read(member);
          },
        });
      }
    }

    at(view: DataView, offset: number, length?: number): this {
      checkRecord(layout, layout.leastSize, view, offset, length);
      this.#view = view;
      this.#offset = offset;
      this.#end = length === undefined ? 0 : offset + length;
      return this;
    }

    toObject(): StructValue {
      return decodeLayout(layout, this.#view, this.#offset, this.#end, little) as StructValue;
    }

    #read(member: ReaderMember): ReaderValue {
      const { field, inner } = member;
      if (inner === undefined) return decodeField(field, this.#view, this.#offset, this.#end, little);
      let reader = this.#inner.get(member);
      if (reader === undefined) this.#inner.set(member, reader = new inner());
      const offset = this.#offset + field.offset;
      return reader.at(this.#view, offset, field.tail && this.#end !== 0 ? this.#end - offset : undefined);
    }
  }
  return InterpretedReader as unknown as ReaderClass;
}

/**
 * From a record of a ring buffer to a value of the type that the object says it has.
 *
 * @module
 */
import { type Codec, compileCodec, type StructType, type Value } from "../../lib/btf/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import type { EventTypes } from "../../lib/spec/mod.ts";

/** An event: a plain object whose properties are the struct's members. */
export type EventValue = Record<string, Value>;

/** An event and its type. */
export interface TypedEvent {
  /** The record's type; `undefined` if it has none that is known. */
  readonly type: StructType | undefined;
  /** A plain object of that type, or else the record's bytes (a copy). */
  readonly value: EventValue | Uint8Array;
}

/**
 * Says which type a record has, where lengths do not tell: gets the record's memory, which is valid until it returns, and
 * gives the name of one of the map's candidate structs, or `undefined` for what the length says.
 */
export type TypeChooser = (view: DataView, offset: number, length: number) => string | undefined;

/** Makes events of the records of one map. Of several types, a record's length tells which, or the user's function. */
export class EventDecoder {
  /** Is any type known. */
  readonly typed: boolean;
  readonly #map: string;
  readonly #hint: string | undefined;
  readonly #bySize = new Map<number, Codec>();
  readonly #byName = new Map<string, Codec>();
  readonly #choose: TypeChooser | undefined;
  readonly #flexible: Codec | undefined;
  /** One of `bySize`, the only one most often: found without a look into the map. */
  readonly #first: Codec | undefined;
  readonly #firstLength: number;

  /**
   * @param object Name of the object, for errors.
   * @param map Name of the map, for errors.
   * @param types What is known about its records.
   * @param choose Says of which type a record is.
   */
  constructor(object: string, map: string, types: EventTypes | undefined, choose?: TypeChooser) {
    this.#choose = choose;
    if (choose !== undefined) {
      for (const type of types?.candidates ?? []) this.#byName.set(type.name, codecOf(type));
    }
    for (const [size, type] of types?.bySize ?? []) this.#bySize.set(size, codecOf(type));
    this.#flexible = types?.flexible === undefined ? undefined : codecOf(types.flexible);
    [this.#firstLength, this.#first] = [...this.#bySize][0] ?? [-1, undefined];
    this.typed = this.#first !== undefined || this.#flexible !== undefined || this.#byName.size > 0;
    this.#map = map;
    const unsaid = `map "${map}": nothing in ${object} says what its records are`;
    this.#hint = types?.hint ?? (this.typed ? undefined : unsaid);
  }

  /** The event of a record, with its type; a record of no known type is its bytes. */
  event(view: DataView, offset: number, length: number): TypedEvent {
    const codec = this.#choose === undefined ? this.#codec(length) : this.#chosen(view, offset, length);
    if (codec === undefined) {
      return { type: undefined, value: new Uint8Array(view.buffer, view.byteOffset + offset, length).slice() };
    }
    return { type: codec.type as StructType, value: codec.decode(view, offset, length) as EventValue };
  }

  /**
   * The event of a record.
   *
   * @throws {UnsupportedError} if its type is not known.
   */
  value(view: DataView, offset: number, length: number): EventValue {
    const codec = this.#choose === undefined ? this.#codec(length) : this.#chosen(view, offset, length);
    if (codec === undefined) throw this.untyped(length);
    return codec.decode(view, offset, length) as EventValue;
  }

  /**
   * The error that says why records have no type, and what to do about it.
   *
   * @param length Length of such a record, if there is one at hand.
   */
  untyped(length?: number): UnsupportedError {
    const known = [...this.#bySize.keys()].join(", ");
    return new UnsupportedError(
      "typed events",
      this.#hint ?? `map "${this.#map}": a record of ${length} bytes has no type: only those of ${known} bytes have`,
    );
  }

  #chosen(view: DataView, offset: number, length: number): Codec | undefined {
    const name = this.#choose!(view, offset, length);
    if (name === undefined) return this.#codec(length);
    const codec = this.#byName.get(name);
    if (codec === undefined) {
      const known = [...this.#byName.keys()].join(", ") || "none";
      throw new TypeError(
        `map "${this.#map}": no struct "${name}" is a candidate for its records; there are: ${known}`,
      );
    }
    if (codec.size > length) {
      throw new TypeError(
        `map "${this.#map}": a record of ${length} bytes is no struct ${name} of ${codec.size} bytes`,
      );
    }
    return codec;
  }

  #codec(length: number): Codec | undefined {
    if (length === this.#firstLength) return this.#first;
    const flexible = this.#flexible;
    return this.#bySize.get(length) ?? (flexible !== undefined && length >= flexible.size ? flexible : undefined);
  }
}

function codecOf(type: StructType): Codec {
  return compileCodec(type, { order: HOST_BYTE_ORDER });
}

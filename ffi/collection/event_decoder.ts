/**
 * From a record of a ring buffer to a value of the type that the object says it has.
 *
 * @module
 */
import { type Codec, compileCodec, type StructType, type Value } from "../../lib/btf/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import type { CollectionSpec, EventTypes } from "../../lib/spec/mod.ts";

/** An event: a plain object whose properties are the struct's members. */
export type EventValue = Record<string, Value>;

/** An event and its type. */
export interface TypedEvent {
  /** The record's type; `undefined` if it has none that is known. */
  readonly type: StructType | undefined;
  /** A plain object of that type, or else the record's bytes (a copy). */
  readonly value: EventValue | Uint8Array;
}

/** Makes events of records. */
export interface EventDecoder {
  (view: DataView, offset: number, length: number): TypedEvent;
  /** Is there a type at all. */
  readonly typed: boolean;
  /** If not: why, and what to do about it. */
  readonly hint: string;
}

/**
 * The decoder for the records of one map. Of several types, a record's length tells which.
 *
 * @param types What is known about the map's records.
 */
export function eventDecoder(spec: CollectionSpec, types: EventTypes | undefined): EventDecoder {
  const bySize = new Map<number, TypedCodec>();
  for (const [size, type] of types?.bySize ?? []) bySize.set(size, typedCodec(type));
  const flexible = types?.flexible === undefined ? undefined : typedCodec(types.flexible);
  const decode = (view: DataView, offset: number, length: number): TypedEvent => {
    const found = bySize.get(length) ?? flexible;
    if (found === undefined) {
      return { type: undefined, value: new Uint8Array(view.buffer, view.byteOffset + offset, length).slice() };
    }
    return { type: found.type, value: found.codec.decode(view, offset, length) as EventValue };
  };
  const hint = types?.hint ?? `nothing in ${spec.name} says what its records are`;
  return Object.assign(decode, { typed: bySize.size > 0 || flexible !== undefined, hint: hint });
}

interface TypedCodec {
  readonly type: StructType;
  readonly codec: Codec;
}

function typedCodec(type: StructType): TypedCodec {
  return { type, codec: compileCodec(type, { order: HOST_BYTE_ORDER }) };
}

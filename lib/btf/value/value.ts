/**
 * What a value of a BTF type is in JavaScript, and what reads and writes one.
 *
 * @module
 */
import type { ByteOrder } from "../../bytes.ts";
import type { BtfType } from "../types.ts";

/** A struct, a union or a section of variables: members by name, in the order of their declaration. */
export interface StructValue {
  /** A member or variable. */
  [member: string]: Value;
}

/**
 * A value of a BTF type:
 *
 * - integers of up to 32 bits are numbers, wider ones bigints; a bitfield counts by its own width;
 * - `bool` is a boolean, a pointer a bigint, a float a number (one of 12 or 16 bytes: its bytes);
 * - an enum is its name (the first one of that value), or its number where no name is known; a 64-bit one is a bigint then;
 * - an array of `char` is the text before its first NUL; text that is not UTF-8 is a `Uint8Array` of those bytes;
 * - any other array is an array; a flexible one has as many elements as the record has room for;
 * - structs and unions are objects; members of anonymous ones belong to the object around them, as in C;
 * - a section of global variables is an object of them.
 */
export type Value = number | bigint | boolean | string | Uint8Array | Value[] | StructValue;

/** How the machine lays out what BTF describes. */
export interface CodecOptions {
  /** Order of bytes, and with it of bitfields. */
  order: ByteOrder;
  /** Size of a pointer in bytes: 8 unless the types are of a 32-bit machine. */
  pointerSize?: number;
  /** Interpret the type even where code may be generated; results are the same. */
  interpreted?: boolean;
}

/** Reads and writes the values of one type. */
export interface Codec {
  /** The type. */
  readonly type: BtfType;
  /** Size in bytes, without the elements of a flexible array. */
  readonly size: number;
  /** Does the type end in a flexible array, so that its values differ in size? */
  readonly flexible: boolean;

  /**
   * The value at byte `offset` of `view`, nothing of which refers to `view`.
   *
   * @param view Where it lies.
   * @param offset Offset of its first byte.
   * @param length Size of the record in bytes: what lies behind the fixed part is the flexible array. Without it that is empty.
   * @throws {FormatError} if it lies outside `view`, or the record is too short.
   */
  decode(view: DataView, offset: number, length?: number): Value;

  /**
   * Writes `value` at byte `offset` of `view`; padding becomes 0, except between the variables of a section, whose bytes
   * (and those of variables that `value` leaves out) stay. Of a union the members that are given are written; two that
   * contradict each other are refused. If it throws, the bytes of the value are left half written.
   *
   * @param value The value. Integers and pointers may be numbers or bigints, enums names or numbers, text may be bytes.
   * @param view Where it goes.
   * @param offset Offset of its first byte.
   * @param name How errors call the value; the type's name by default.
   * @returns Number of bytes of the value: `size`, or more with a flexible array.
   * @throws {TypeError} if `value` has the wrong shape: `event.addr.port: missing`.
   * @throws {RangeError} if a number or text does not fit (`event.addr.port: 70000 does not fit u16`) or `view` is too small.
   */
  encode(value: Value, view: DataView, offset: number, name?: string): number;

  /**
   * The value that fills `bytes`: the flexible array is what lies behind the fixed part.
   *
   * @throws {FormatError} if there are too few bytes.
   */
  decodeBytes(bytes: Uint8Array): Value;

  /**
   * The bytes of `value`; parameters and errors are those of {@linkcode Codec.encode}.
   *
   * @throws {TypeError} if `value` has the wrong shape.
   * @throws {RangeError} if a number or text does not fit.
   */
  encodeBytes(value: Value, name?: string): Uint8Array<ArrayBuffer>;
}

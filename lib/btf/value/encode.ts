/**
 * Writing values by walking their layout. This is what says where a wrong value is: code that was generated (see
 * `generate_encode.ts`) leaves it to this module whenever something is not plain.
 *
 * Bytes that a value does not decide (padding, the rest of an array of `char` after its NUL, the way in which a `bool` is
 * true or a float is no number) are not touched: the codec clears them first, and members of a union that were read from
 * the same bytes must not undo one another.
 *
 * @module
 */
import { decodeBits, decodeLayout, isNonzero } from "./decode.ts";
import { writeBits, writeInt128 } from "./bits.ts";
import {
  type ArrayLayout,
  type CompositeLayout,
  type EnumLayout,
  type Field,
  type FloatLayout,
  type Group,
  intName,
  type Layout,
  layoutName,
} from "./layout.ts";
import { encodeText, writeAscii } from "./text.ts";

/**
 * Writes `value` at `offset`.
 *
 * @param path What errors call the value.
 * @returns Offset behind the last byte, flexible array included.
 * @throws {TypeError} if the value has the wrong shape.
 * @throws {RangeError} if it does not fit.
 */
export function encodeLayout(
  layout: Layout,
  value: unknown,
  view: DataView,
  offset: number,
  little: boolean,
  path: string,
): number {
  const end = offset + layout.size;
  if (end > view.byteLength) {
    throw new RangeError(`${path}: its ${layout.size} bytes at ${offset} lie outside the view's ${view.byteLength}`);
  }
  switch (layout.kind) {
    case "int":
      writeInt(view, offset, layout.size, checkInt(value, layout.size * 8, layout.signed, layout, path), little);
      return end;
    case "bool":
      if (checkBool(value, path) && isNonzero(view, offset, layout.size)) return end;
      writeInt(view, offset, layout.size, value === true ? 1n : 0n, little);
      return end;
    case "enum":
      writeInt(view, offset, layout.size, checkEnum(value, layout, layout.size * 8, path), little);
      return end;
    case "bits": {
      const { meaning, size, shift, bits } = layout;
      if (meaning === "bool" && checkBool(value, path) && decodeBits(layout, view, offset, little) === true) return end;
      const raw = meaning === "int"
        ? checkInt(value, bits, layout.signed, layout, path)
        : meaning === "bool"
        ? (value === true ? 1n : 0n)
        : checkEnum(value, meaning, bits, path);
      writeBits(view, offset, size, shift, bits, raw, little);
      return end;
    }
    case "pointer":
      writeInt(view, offset, layout.size, checkInt(value, layout.size * 8, false, layout, path), little);
      return end;
    case "float":
      writeFloat(layout, value, view, offset, little, path);
      return end;
    case "bytes":
      if (!(value instanceof Uint8Array)) {
        throw mismatch(value, `the bytes (Uint8Array) of a ${layoutName(layout)}`, path);
      }
      if (value.length !== layout.size) throw new RangeError(`${path}: ${value.length} bytes, not ${layout.size}`);
      writeBytes(value, view, offset);
      return end;
    case "text":
      return offset + Math.max(layout.size, writeText(layout, value, view, offset, path));
    case "array":
      return encodeArray(layout, value, view, offset, little, path);
    case "struct":
    case "union":
    case "datasec":
      return encodeComposite(layout, value, view, offset, little, path);
    default:
      return layout satisfies never;
  }
}

function mismatch(value: unknown, expected: string, path: string): TypeError {
  if (value === undefined || value === null) return new TypeError(`${path}: missing`);
  const got = Array.isArray(value)
    ? "an array"
    : value instanceof Uint8Array
    ? "a Uint8Array"
    : typeof value === "object"
    ? "an object"
    : typeof value === "string"
    ? JSON.stringify(value)
    : `${typeof value} ${String(value)}`;
  return new TypeError(`${path}: ${got} is not ${expected}`);
}

/** The exact integer that `value` is, if it lies in the range of `bits` bits. */
function checkInt(value: unknown, bits: number, signed: boolean, layout: Layout, path: string): bigint {
  const exact = toBigInt(value, layoutName(layout), path);
  if (exact !== (signed ? BigInt.asIntN(bits, exact) : BigInt.asUintN(bits, exact))) {
    throw new RangeError(`${path}: ${exact} does not fit ${layoutName(layout)}`);
  }
  return exact;
}

function toBigInt(value: unknown, name: string, path: string): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value !== "number") throw mismatch(value, `a number (${name})`, path);
  if (!Number.isInteger(value)) throw new RangeError(`${path}: ${value} is not an integer (${name})`);
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`${path}: ${value} may have been rounded: give it as a bigint (${name})`);
  }
  return BigInt(value);
}

function checkBool(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") throw mismatch(value, "true or false", path);
  return value;
}

function checkEnum(value: unknown, layout: EnumLayout, bits: number, path: string): bigint {
  const name = layoutName(layout);
  let number: unknown = value;
  if (typeof value === "string") {
    number = layout.values.get(value);
    if (number === undefined) throw new RangeError(`${path}: "${value}" is no value of ${name}`);
  }
  const exact = toBigInt(number, `a number or name of ${name}`, path);
  if (exact !== (layout.signed ? BigInt.asIntN(bits, exact) : BigInt.asUintN(bits, exact))) {
    throw new RangeError(`${path}: ${value} does not fit ${intName(bits, layout.signed)} (${name})`);
  }
  return exact;
}

/** Writes an integer that was checked, whatever its sign. */
function writeInt(view: DataView, offset: number, size: number, value: bigint, little: boolean): void {
  switch (size) {
    case 1:
      return view.setUint8(offset, Number(BigInt.asUintN(8, value)));
    case 2:
      return view.setUint16(offset, Number(BigInt.asUintN(16, value)), little);
    case 4:
      return view.setUint32(offset, Number(BigInt.asUintN(32, value)), little);
    case 8:
      return view.setBigUint64(offset, BigInt.asUintN(64, value), little);
    default:
      return writeInt128(view, offset, value, little);
  }
}

function writeFloat(
  layout: FloatLayout,
  value: unknown,
  view: DataView,
  offset: number,
  little: boolean,
  path: string,
): void {
  if (typeof value !== "number") throw mismatch(value, `a number (${layoutName(layout)})`, path);
  const { size } = layout;
  const rounded = size === 8 ? value : size === 4 ? Math.fround(value) : Math.f16round(value);
  if (!Number.isFinite(rounded) && Number.isFinite(value)) {
    throw new RangeError(`${path}: ${value} does not fit ${layoutName(layout)}`);
  }
  if (Number.isNaN(value) && Number.isNaN(decodeLayout(layout, view, offset, 0, little))) return;
  if (size === 8) view.setFloat64(offset, value, little);
  else if (size === 4) view.setFloat32(offset, value, little);
  else view.setFloat16(offset, value, little);
}

function writeBytes(bytes: Uint8Array, view: DataView, offset: number): void {
  new Uint8Array(view.buffer, view.byteOffset + offset, bytes.length).set(bytes);
}

/** Writes text and its NUL, if there is room for one; returns the number of bytes of a flexible one. */
function writeText(
  layout: Layout & { kind: "text" },
  value: unknown,
  view: DataView,
  offset: number,
  path: string,
): number {
  if (!layout.flexible && typeof value === "string" && writeAscii(view, offset, layout.size, value)) return layout.size;
  const bytes = textBytes(layout, value, path);
  const room = layout.flexible ? view.byteLength - offset : layout.size;
  if (bytes.length > room) {
    throw new RangeError(
      `${path}: ${bytes.length} bytes do not fit ${layout.flexible ? `${room} bytes` : layoutName(layout)}`,
    );
  }
  writeBytes(bytes, view, offset);
  if (bytes.length < layout.size) view.setUint8(offset + bytes.length, 0);
  return layout.flexible ? bytes.length : layout.size;
}

function textBytes(layout: Layout & { kind: "text" }, value: unknown, path: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== "string") throw mismatch(value, `text (${layoutName(layout)})`, path);
  const bytes = encodeText(value);
  if (bytes === undefined) throw new RangeError(`${path}: half a surrogate pair has no UTF-8 bytes`);
  // It would be read back shorter than it is.
  if (bytes.includes(0)) throw new RangeError(`${path}: text with a NUL inside: give its bytes as a Uint8Array`);
  return bytes;
}

function encodeArray(
  layout: ArrayLayout,
  value: unknown,
  view: DataView,
  offset: number,
  little: boolean,
  path: string,
): number {
  const { element } = layout;
  if (!isArrayLike(value)) throw mismatch(value, `an array (${layoutName(layout)})`, path);
  // An array of elements without size has no bytes, whatever it is given.
  if (element.size === 0) return offset;
  if (!layout.flexible && value.length !== layout.length) {
    throw new RangeError(`${path}: ${value.length} elements, not ${layout.length}`);
  }
  let at = offset;
  for (let i = 0; i < value.length; i++) {
    checkFixed(element, value[i], `${path}[${i}]`);
    encodeLayout(element, value[i], view, at, little, `${path}[${i}]`);
    at += element.size;
  }
  return at;
}

function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function encodeComposite(
  layout: CompositeLayout,
  value: unknown,
  view: DataView,
  offset: number,
  little: boolean,
  path: string,
): number {
  if (typeof value !== "object" || value === null || isArrayLike(value)) {
    throw mismatch(value, `an object (${layout.title})`, path);
  }
  for (const name of Object.keys(value)) {
    if (layout.fields.has(name)) continue;
    const known = [...layout.fields.keys()].slice(0, 12).join(", ");
    throw new TypeError(`${path}.${name}: ${layout.title} has no such member; it has ${known || "none"}`);
  }
  return encodeMembers(layout, value, view, offset, little, path);
}

/** Writes the members of a composite, which may be an anonymous one inside that of `value`. */
function encodeMembers(
  layout: CompositeLayout,
  value: object,
  view: DataView,
  offset: number,
  little: boolean,
  path: string,
): number {
  if (layout.kind === "union") return encodeUnion(layout, value, view, offset, little, path);
  let end = offset + layout.size;
  for (const member of layout.members) {
    // A flexible array may be left out, and so may variables: the codec keeps the bytes of those.
    const optional = member.kind === "field" &&
      (layout.kind === "datasec" || (member.layout.flexible && member.layout.size === 0));
    if (optional && !isGiven(member, value)) continue;
    if (layout.kind === "datasec") clear(view, offset + member.offset, member.layout.size);
    end = Math.max(end, encodeMember(member, value, view, offset, little, path));
  }
  return end;
}

function encodeMember(
  member: Field | Group,
  value: object,
  view: DataView,
  offset: number,
  little: boolean,
  path: string,
): number {
  const at = offset + member.offset;
  if (!member.tail) checkFixed(member.layout, member.kind === "group" ? value : memberOf(value, member.name), path);
  if (member.kind === "group") return encodeMembers(member.layout, value, view, at, little, path);
  return encodeLayout(member.layout, memberOf(value, member.name), view, at, little, `${path}.${member.name}`);
}

/** Writes those members of a union that are given, which must agree about the bytes that they share. */
export function encodeUnion(
  layout: CompositeLayout,
  value: object,
  view: DataView,
  offset: number,
  little: boolean,
  path: string,
): number {
  const given = layout.members.filter((member) => isGiven(member, value));
  if (given.length === 0 && [...layout.fields.values()].some((field) => field.layout.size > 0)) {
    throw new TypeError(`${path}: missing: give one of ${[...layout.fields.keys()].slice(0, 12).join(", ")}`);
  }
  let end = offset + layout.size;
  for (const member of given) end = Math.max(end, encodeMember(member, value, view, offset, little, path));
  if (given.length < 2) return end;
  // A member that is written once more changes nothing, unless a later one has overwritten it with something else.
  const length = end - offset;
  const written = new Uint8Array(view.buffer, view.byteOffset + offset, length);
  const again = written.slice();
  for (const member of given) {
    encodeMember(member, value, new DataView(again.buffer), 0, little, path);
    if (again.some((byte, i) => byte !== written[i])) {
      const names = given.flatMap((other) => other.kind === "field" ? [other.name] : [...other.layout.fields.keys()]);
      throw new TypeError(
        `${path}: members of ${layout.title} contradict each other: give only one of ${names.join(", ")}`,
      );
    }
  }
  return end;
}

/** Sets `size` bytes to 0. */
export function clear(view: DataView, offset: number, size: number): void {
  // Making a typed array costs as much as dozens of words.
  if (size > 256) {
    new Uint8Array(view.buffer, view.byteOffset + offset, size).fill(0);
    return;
  }
  const end = offset + size;
  let at = offset;
  for (; at + 8 <= end; at += 8) view.setFloat64(at, 0);
  for (; at < end; at++) view.setUint8(at, 0);
}

/** A flexible array that does not end the record would write over what follows it. */
function checkFixed(layout: Layout, value: unknown, path: string): void {
  if (layout.flexible && sizeOfValue(layout, value) > layout.size) {
    throw new RangeError(`${path}: the flexible array of ${layoutName(layout)} has no room for elements here`);
  }
}

/** Whether `value` has the member, or one of those of an anonymous member. */
function isGiven(member: Field | Group, value: object): boolean {
  if (member.kind === "field") return memberOf(value, member.name) !== undefined;
  for (const name of member.layout.fields.keys()) {
    if (memberOf(value, name) !== undefined) return true;
  }
  return false;
}

/** The value's member; what every object inherits (`constructor`, `__proto__`) is none. */
function memberOf(value: object, name: string): unknown {
  if (name in Object.prototype && !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

/**
 * The size in bytes of a value: more than the layout's if it has elements in a flexible array. Says nothing about
 * values of the wrong shape: encoding does.
 */
export function sizeOfValue(layout: Layout, value: unknown): number {
  if (!layout.flexible) return layout.size;
  if (layout.kind === "text") return typeof value === "string" ? (encodeText(value)?.length ?? 0) : lengthOf(value);
  if (layout.kind === "array") return lengthOf(value) * layout.element.size;
  let size = layout.size;
  if (!("fields" in layout) || typeof value !== "object" || value === null) return size;
  for (const field of layout.fields.values()) {
    if (field.tail) size = Math.max(size, field.offset + sizeOfValue(field.layout, memberOf(value, field.name)));
  }
  return size;
}

function lengthOf(value: unknown): number {
  return isArrayLike(value) ? value.length : 0;
}

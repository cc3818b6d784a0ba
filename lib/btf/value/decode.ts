/**
 * Reading values by walking their layout: the twin of the code that `generate_decode.ts` writes.
 *
 * @module
 */
import { readBits, readInt128 } from "./bits.ts";
import type { ArrayLayout, BitsLayout, CompositeLayout, EnumLayout, Field, Layout } from "./layout.ts";
import { readText } from "./text.ts";
import type { StructValue, Value } from "./value.ts";

/**
 * The value at `offset`.
 *
 * @param layout Its layout.
 * @param view Where it lies; checked to hold the layout's size.
 * @param offset Offset of its first byte.
 * @param end Offset of the record's end for a layout whose size that decides, else 0.
 * @param little Whether the order of bytes is little-endian.
 */
export function decodeLayout(layout: Layout, view: DataView, offset: number, end: number, little: boolean): Value {
  switch (layout.kind) {
    case "int":
      return readInt(view, offset, layout.size, layout.signed, little);
    case "bool":
      return isNonzero(view, offset, layout.size);
    case "enum":
      return enumValue(layout, readInt(view, offset, layout.size, layout.signed, little));
    case "bits":
      return decodeBits(layout, view, offset, little);
    case "pointer":
      return layout.size === 8 ? view.getBigUint64(offset, little) : BigInt(view.getUint32(offset, little));
    case "float":
      if (layout.size === 8) return view.getFloat64(offset, little);
      return layout.size === 4 ? view.getFloat32(offset, little) : view.getFloat16(offset, little);
    case "bytes":
      return new Uint8Array(view.buffer, view.byteOffset + offset, layout.size).slice();
    case "text":
      return readText(view, offset, layout.flexible ? Math.max(0, end - offset) : layout.size);
    case "array":
      return decodeArray(layout, view, offset, end, little);
    case "struct":
    case "union":
    case "datasec":
      return decodeComposite(layout, view, offset, end, little);
    default:
      return layout satisfies never;
  }
}

function readInt(view: DataView, offset: number, size: number, signed: boolean, little: boolean): number | bigint {
  switch (size) {
    case 1:
      return signed ? view.getInt8(offset) : view.getUint8(offset);
    case 2:
      return signed ? view.getInt16(offset, little) : view.getUint16(offset, little);
    case 4:
      return signed ? view.getInt32(offset, little) : view.getUint32(offset, little);
    case 8:
      return signed ? view.getBigInt64(offset, little) : view.getBigUint64(offset, little);
    default:
      return readInt128(view, offset, signed, little);
  }
}

/** Whether one of the bytes is not 0: what C takes for true, whatever the order of bytes. */
export function isNonzero(view: DataView, offset: number, size: number): boolean {
  for (let i = 0; i < size; i++) {
    if (view.getUint8(offset + i) !== 0) return true;
  }
  return false;
}

/** The name of an enum's value, or the number itself. */
export function enumValue(layout: EnumLayout, raw: number | bigint): string | number | bigint {
  const value = layout.wide ? BigInt(raw) : raw;
  return layout.names.get(value) ?? value;
}

/** The value of a bitfield. */
export function decodeBits(layout: BitsLayout, view: DataView, offset: number, little: boolean): Value {
  const raw = readBits(view, offset, layout.size, layout.shift, layout.bits, layout.signed, little);
  if (layout.meaning === "int") return raw;
  if (layout.meaning === "bool") return Number(raw) !== 0;
  return enumValue(layout.meaning, raw);
}

function decodeArray(layout: ArrayLayout, view: DataView, offset: number, end: number, little: boolean): Value[] {
  const { element } = layout;
  const length = layout.flexible ? flexibleLength(offset, end, element.size) : layout.length;
  const values: Value[] = [];
  for (let i = 0; i < length; i++) values.push(decodeLayout(element, view, offset + i * element.size, 0, little));
  return values;
}

/** Number of whole elements between `offset` and the end of the record. */
export function flexibleLength(offset: number, end: number, elementSize: number): number {
  return Math.max(0, Math.floor((end - offset) / elementSize));
}

function decodeComposite(
  layout: CompositeLayout,
  view: DataView,
  offset: number,
  end: number,
  little: boolean,
): StructValue {
  const value: StructValue = {};
  for (const field of layout.fields.values()) {
    setOwn(value, field.name, decodeField(field, view, offset, end, little));
  }
  return value;
}

/** The value of the member `field` of the composite at `offset`. */
export function decodeField(field: Field, view: DataView, offset: number, end: number, little: boolean): Value {
  return decodeLayout(field.layout, view, offset + field.offset, field.tail ? end : 0, little);
}

/** A plain assignment to a member that is called `__proto__` would change the object's prototype. */
function setOwn(target: StructValue, name: string, value: Value): void {
  if (name !== "__proto__") target[name] = value;
  else Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}

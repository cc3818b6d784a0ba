/**
 * Codecs: one per type, order of bytes and pointer size, compiled when first used.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import type { BtfType } from "../types.ts";
import { LayoutBuilder, resolveValueType } from "./build_layout.ts";
import { decodeLayout } from "./decode.ts";
import { clear, encodeLayout, sizeOfValue } from "./encode.ts";
import { type DecodeFunction, generateDecode } from "./generate_decode.ts";
import { type EncodeFunction, generateEncode } from "./generate_encode.ts";
import { type Layout, layoutName } from "./layout.ts";
import type { Codec, CodecOptions, Value } from "./value.ts";

/** What is known for one order of bytes, pointer size and way of running. */
interface Variant {
  readonly little: boolean;
  readonly interpreted: boolean;
  readonly layouts: LayoutBuilder;
  readonly codecs: WeakMap<BtfType, Codec>;
}

const variants = new Map<string, Variant>();

/** The variant that `options` ask for. */
export function variantOf(options: CodecOptions): Variant {
  const { order, pointerSize = 8, interpreted = false } = options;
  if (pointerSize !== 4 && pointerSize !== 8) throw new RangeError(`pointerSize: ${pointerSize} is neither 4 nor 8`);
  const key = `${order} ${pointerSize} ${interpreted}`;
  let variant = variants.get(key);
  if (variant === undefined) {
    const little = order === "little";
    variant = { little, interpreted, layouts: new LayoutBuilder(order, pointerSize), codecs: new WeakMap() };
    variants.set(key, variant);
  }
  return variant;
}

/**
 * The codec of `type`: asking again gives the same one.
 *
 * @param type Any type that has a size; typedefs, modifiers and variables stand for what they name.
 * @param options How the machine lays out the type.
 * @throws {FormatError} if the type contradicts itself: members outside their struct, a struct inside itself.
 * @throws {UnsupportedError} if it has no size: `void`, functions, forward declarations.
 *
 * @example
 * ```ts
 * import { type BtfType, compileCodec, type Value } from "@debpf/debpf";
 *
 * function decode(type: BtfType, bytes: Uint8Array): Value {
 *   return compileCodec(type, { order: "little" }).decodeBytes(bytes);
 * }
 * ```
 */
export function compileCodec(type: BtfType, options: CodecOptions): Codec {
  const variant = variantOf(options);
  let codec = variant.codecs.get(type);
  if (codec === undefined) {
    codec = new TypeCodec(type, variant.layouts.build(type), variant.little, variant.interpreted);
    variant.codecs.set(type, codec);
  }
  return codec;
}

/** Runs `generate`, or gives `undefined` where code generation is forbidden (a page's Content-Security-Policy). */
export function tryGenerate<T>(generate: () => T): T | undefined {
  try {
    return generate();
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

class TypeCodec implements Codec {
  readonly type: BtfType;
  readonly size: number;
  readonly flexible: boolean;
  readonly #layout: Layout;
  readonly #leastSize: number;
  readonly #little: boolean;
  #decode: DecodeFunction | undefined;
  #encode: EncodeFunction | undefined;

  constructor(type: BtfType, layout: Layout, little: boolean, interpreted: boolean) {
    this.type = type;
    this.size = layout.size;
    this.flexible = layout.flexible;
    this.#layout = layout;
    this.#leastSize = leastSize(layout);
    this.#little = little;
    if (interpreted) {
      this.#decode = interpretedDecode(layout, little);
      this.#encode = interpretedEncode(layout, little);
    }
  }

  decode(view: DataView, offset: number, length?: number): Value {
    const end = length === undefined ? 0 : offset + length;
    checkRecord(this.#layout, this.#leastSize, view, offset, length);
    return this.#decodeFunction()(view, offset, end);
  }

  encode(value: Value, view: DataView, offset: number, name?: string): number {
    const layout = this.#layout;
    const { size } = layout;
    if (!(offset >= 0 && offset + size <= view.byteLength)) {
      throw new RangeError(
        `${
          name ?? rootName(this.type, layout)
        }: its ${size} bytes at ${offset} lie outside the view's ${view.byteLength}`,
      );
    }
    if (layout.kind !== "datasec") clear(view, offset, size);
    if (!layout.flexible) {
      try {
        this.#encodeFunction()(value, view, offset);
        return size;
      } catch {
        // Not plain, or wrong: written again below, by what knows more and says where it fails.
      }
    }
    return encodeLayout(layout, value, view, offset, this.#little, name ?? rootName(this.type, layout)) - offset;
  }

  decodeBytes(bytes: Uint8Array): Value {
    return this.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
  }

  encodeBytes(value: Value, name?: string): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.max(this.size, sizeOfValue(this.#layout, value)));
    this.encode(value, new DataView(bytes.buffer), 0, name);
    return bytes;
  }

  #decodeFunction(): DecodeFunction {
    return this.#decode ??= tryGenerate(() => generateDecode(this.#layout, this.#little)) ??
      interpretedDecode(this.#layout, this.#little);
  }

  #encodeFunction(): EncodeFunction {
    return this.#encode ??= tryGenerate(() => generateEncode(this.#layout, this.#little)) ??
      interpretedEncode(this.#layout, this.#little);
  }
}

function interpretedDecode(layout: Layout, little: boolean): DecodeFunction {
  return (view, offset, end) => decodeLayout(layout, view, offset, end, little);
}

function interpretedEncode(layout: Layout, little: boolean): EncodeFunction {
  return (value, view, offset) => void encodeLayout(layout, value, view, offset, little, "");
}

/** The size in bytes that a record of `layout` has at least. */
export function leastSize(layout: Layout): number {
  return "leastSize" in layout ? layout.leastSize : layout.size;
}

/** Fails unless a record of at least `least` bytes lies in `view`. */
export function checkRecord(
  layout: Layout,
  least: number,
  view: DataView,
  offset: number,
  length: number | undefined,
): void {
  const size = length ?? least;
  if (size >= least && offset >= 0 && offset + size <= view.byteLength) return;
  throw new FormatError(
    size < least
      ? `${layoutName(layout)}: a record of ${size} bytes is too short for its ${least}`
      : `${layoutName(layout)}: ${size} bytes at offset ${offset} lie outside the view's ${view.byteLength}`,
  );
}

/** What errors call a value of `type`. */
function rootName(type: BtfType, layout: Layout): string {
  return type.name || resolveValueType(type).name || layoutName(layout);
}

/**
 * The header of a BTF blob: byte order and where types and strings lie.
 *
 * @module
 */
import { type ByteOrder, ByteView, HOST_BYTE_ORDER } from "../bytes.ts";
import { FormatError } from "../errors.ts";
import { BtfFormat } from "../uapi/mod.ts";
import { BTF_HEADER, BTF_LAYOUT, BTF_TYPE, knownRecordSizes, LAST_KIND, type RecordSizes } from "./wire.ts";

/** The parts of a BTF blob. */
export interface BtfSections {
  readonly order: ByteOrder;
  /** The type section as words in the host's order: a view of the blob where order and alignment allow it. */
  readonly words: Uint32Array;
  /** The string section; ends with a NUL unless empty. */
  readonly strings: Uint8Array;
  readonly recordSizes: RecordSizes;
}

/**
 * Byte order of a blob that starts with the BTF magic.
 *
 * @throws {FormatError} if it does not.
 */
export function detectOrder(bytes: Uint8Array, what: string): ByteOrder {
  const low = BtfFormat.BTF_MAGIC & 0xff;
  const high = BtfFormat.BTF_MAGIC >> 8;
  if (bytes.length < 4) throw new FormatError(`${what}: ${bytes.length} bytes are too short for BTF`);
  if (bytes[0] === low && bytes[1] === high) return "little";
  if (bytes[1] === low && bytes[0] === high) return "big";
  const seen = [bytes[0]!, bytes[1]!].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw new FormatError(`${what}: not BTF: starts with ${seen} instead of the magic 9f eb`);
}

/**
 * Checks version, flags and header length of `.BTF` or `.BTF.ext` and gives the header's length.
 *
 * @throws {FormatError} on a version or flag of the future, or a header that doesn't fit.
 */
export function checkPreamble(view: ByteView, leastLength: number): number {
  const version = view.u8(BTF_HEADER.version, "version");
  if (version !== BtfFormat.BTF_VERSION) {
    throw new FormatError(`${view.what}: BTF version ${version}, but only version ${BtfFormat.BTF_VERSION} is known`);
  }
  const flags = view.u8(BTF_HEADER.flags, "flags");
  if (flags !== 0) throw new FormatError(`${view.what}: unknown header flags 0x${flags.toString(16)}`);
  const length = view.u32(BTF_HEADER.hdrLen, "hdr_len");
  if (length < leastLength) {
    throw new FormatError(`${view.what}: hdr_len is ${length}, shorter than the ${leastLength} bytes of a header`);
  }
  view.check(0, length, "header");
  return length;
}

/**
 * Finds the sections of a BTF blob. A header longer than what is known is fine: its new fields are left alone.
 *
 * @param isSplit Whether the blob continues a base, so that it needs no strings of its own.
 * @throws {FormatError} if the header or a section is malformed.
 */
export function readSections(bytes: Uint8Array, what: string, isSplit: boolean): BtfSections {
  const order = detectOrder(bytes, what);
  const view = new ByteView(bytes, order, what);
  const headerLength = checkPreamble(view, BTF_HEADER.size);
  const section = (offsetAt: number, lengthAt: number, name: string): Uint8Array => {
    const start = headerLength + view.u32(offsetAt, `${name} offset`);
    const length = view.u32(lengthAt, `${name} length`);
    view.check(start, length, `${name} section`);
    return bytes.subarray(start, start + length);
  };

  const types = section(BTF_HEADER.typeOff, BTF_HEADER.typeLen, "type");
  if (types.length % 4 !== 0) {
    throw new FormatError(`${what}: type section of ${types.length} bytes, not a multiple of 4`);
  }
  const strings = section(BTF_HEADER.strOff, BTF_HEADER.strLen, "string");
  if (strings.length === 0 ? !isSplit : strings.at(-1) !== 0) {
    throw new FormatError(`${what}: string section ${strings.length === 0 ? "is empty" : "does not end with a NUL"}`);
  }
  if (!isSplit && strings[0] !== 0) {
    throw new FormatError(
      `${what}: string section does not start with the empty string, as if it continued another BTF: a module's needs ` +
        `that of its kernel as base`,
    );
  }

  const hasLayout = headerLength >= BTF_HEADER.sizeWithLayout;
  const layout = hasLayout ? section(BTF_HEADER.layoutOff, BTF_HEADER.layoutLen, "layout") : new Uint8Array(0);
  return { order, words: toWords(types, order), strings, recordSizes: readRecordSizes(layout, what) };
}

/** The record sizes of the kinds that are known, and of those that only the layout section knows. */
function readRecordSizes(layout: Uint8Array, what: string): RecordSizes {
  const sizes = knownRecordSizes();
  const kinds = Math.min(sizes.fixed.length, Math.floor(layout.length / BTF_LAYOUT.size));
  for (let kind = LAST_KIND + 1; kind < kinds; kind++) {
    const info = layout[kind * BTF_LAYOUT.size + BTF_LAYOUT.infoSize]!;
    const element = layout[kind * BTF_LAYOUT.size + BTF_LAYOUT.elementSize]!;
    if (info % 4 !== 0 || element % 4 !== 0) {
      throw new FormatError(`${what}: layout of kind ${kind} has sizes ${info} and ${element}, not multiples of 4`);
    }
    sizes.fixed[kind] = BTF_TYPE.words + info / 4;
    sizes.perElement[kind] = element / 4;
  }
  return sizes;
}

function toWords(types: Uint8Array, order: ByteOrder): Uint32Array {
  const length = types.length / 4;
  if (order === HOST_BYTE_ORDER && types.byteOffset % 4 === 0) {
    return new Uint32Array(types.buffer, types.byteOffset, length);
  }
  const words = new Uint32Array(length);
  const view = new DataView(types.buffer, types.byteOffset, types.byteLength);
  const little = order === "little";
  for (let i = 0; i < length; i++) words[i] = view.getUint32(i * 4, little);
  return words;
}

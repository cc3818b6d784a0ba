/**
 * Bounds-checked reading of bytes in a given byte order. Every offset of a file format goes through here before it is
 * used, so a truncated or hostile file ends in one `FormatError` that names the place.
 *
 * @module
 */
import { FormatError } from "./errors.ts";

/** The order of bytes in a multi-byte value. */
export type ByteOrder = "little" | "big";

/** The order of the machine that runs this code. */
export const HOST_BYTE_ORDER: ByteOrder = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? "little" : "big";

const UTF8 = new TextDecoder("utf-8");

/** Decodes the UTF-8 bytes `[start, end)`; bad sequences become U+FFFD. Short ASCII avoids the decoder's set-up cost. */
export function decodeText(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  if (end - start > 64) return UTF8.decode(bytes.subarray(start, end));
  let text = "";
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte > 0x7f) return UTF8.decode(bytes.subarray(start, end));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** A window on bytes that knows its byte order and what it is called in messages. */
export class ByteView {
  /** The bytes themselves. */
  readonly bytes: Uint8Array;
  /** Order of multi-byte values. */
  readonly order: ByteOrder;
  /** How errors call this window: `section ".BTF"`, `ELF file "x.o"`. */
  readonly what: string;
  readonly #view: DataView;
  readonly #little: boolean;

  /**
   * @param bytes The window.
   * @param order Order of multi-byte values.
   * @param what How errors call it.
   */
  constructor(bytes: Uint8Array, order: ByteOrder, what: string) {
    this.bytes = bytes;
    this.order = order;
    this.what = what;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = order === "little";
  }

  /** Size in bytes. */
  get length(): number {
    return this.bytes.length;
  }

  /**
   * Fails unless `[at, at + length)` lies inside.
   *
   * @throws {FormatError} naming window, offset, length and `field`.
   */
  check(at: number, length: number, field = "value"): void {
    if (!(at >= 0 && length >= 0 && at + length <= this.bytes.length)) {
      throw new FormatError(
        `${this.what}: ${field} at offset ${at} (${length} bytes) lies outside its ${this.bytes.length} bytes`,
      );
    }
  }

  /** Unsigned 8-bit value at byte offset `at`. */
  u8(at: number, field?: string): number {
    this.check(at, 1, field);
    return this.#view.getUint8(at);
  }

  /** Unsigned 16-bit value at byte offset `at`. */
  u16(at: number, field?: string): number {
    this.check(at, 2, field);
    return this.#view.getUint16(at, this.#little);
  }

  /** Unsigned 32-bit value at byte offset `at`. */
  u32(at: number, field?: string): number {
    this.check(at, 4, field);
    return this.#view.getUint32(at, this.#little);
  }

  /** Signed 32-bit value at byte offset `at`. */
  i32(at: number, field?: string): number {
    this.check(at, 4, field);
    return this.#view.getInt32(at, this.#little);
  }

  /** Unsigned 64-bit value at byte offset `at`. */
  u64(at: number, field?: string): bigint {
    this.check(at, 8, field);
    return this.#view.getBigUint64(at, this.#little);
  }

  /**
   * Unsigned 64-bit size or offset at byte offset `at`. A value above 2^53 (no file has such a size) comes back rounded;
   * the bounds check that follows refuses it.
   */
  size64(at: number, field?: string): number {
    return Number(this.u64(at, field));
  }

  /** A window on `[at, at + length)`, no copy. */
  sub(at: number, length: number, what: string): ByteView {
    this.check(at, length, what);
    return new ByteView(this.bytes.subarray(at, at + length), this.order, what);
  }

  /**
   * The NUL-terminated UTF-8 string at byte offset `at`.
   *
   * @throws {FormatError} if `at` is outside or no NUL follows.
   */
  cString(at: number, field = "string"): string {
    this.check(at, 1, field);
    const end = this.bytes.indexOf(0, at);
    if (end < 0) throw new FormatError(`${this.what}: ${field} at offset ${at} has no terminating NUL`);
    return decodeText(this.bytes, at, end);
  }
}

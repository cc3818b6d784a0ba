/**
 * Text as bytes, for dumps of megabytes: names go from the string section to the output without ever being a string
 * of JavaScript, which would take three times as long.
 *
 * @module
 */

/** Takes a piece of the text, which is overwritten when it returns; a piece may end inside a character. */
export type TextSink = (bytes: Uint8Array) => void;

const CHUNK_BYTES = 1 << 18;
/**
 * The first pieces are smaller. The compiler leaves out what was never done; were the buffer first full after it had compiled
 * everything, all of that would have to be compiled again.
 */
const FIRST_CHUNK_BYTES = 1 << 10;
/** Digits of the largest number that is written as one. */
const MOST_DIGITS = 16;

/** Text that is passed on in pieces. */
export class TextBuffer {
  readonly #bytes = new Uint8Array(CHUNK_BYTES);
  readonly #sink: TextSink;
  readonly #digits = new Uint8Array(MOST_DIGITS);
  #length = 0;
  #flushed = 0;
  /** Bytes of a piece, by and by all of the buffer. */
  #limit = FIRST_CHUNK_BYTES;

  constructor(sink: TextSink) {
    this.#sink = sink;
  }

  /** Number of bytes written so far. */
  get total(): number {
    return this.#flushed + this.#length;
  }

  /** Appends characters of ASCII, fewer than a chunk has. */
  ascii(text: string): void {
    const { length } = text;
    if (this.#length + length > this.#limit) this.#makeRoom(length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < length; i++) bytes[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  /** Appends the NUL-terminated string at `source[from]`. */
  copy(source: Uint8Array, from: number): void {
    const bytes = this.#bytes;
    let at = this.#length;
    let limit = this.#limit;
    for (let byte = source[from]!; byte > 0; byte = source[++from]!) {
      if (at === limit) {
        this.#length = at;
        this.#makeRoom(1);
        at = 0;
        limit = this.#limit;
      }
      bytes[at++] = byte;
    }
    this.#length = at;
  }

  /** Appends the bytes `[start, end)` of `source`. */
  append(source: Uint8Array, start: number, end: number): void {
    if (this.#length + end - start > this.#limit) this.#makeRoom(end - start);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let from = start; from < end; from++) bytes[at++] = source[from]!;
    this.#length = at;
  }

  /**
   * Copies what was written since {@linkcode TextBuffer.total} was `start` to `target[at]`, and gives its length; -1 if part of
   * it is passed on already, or it does not fit.
   */
  copySince(start: number, target: Uint8Array, at: number): number {
    const from = start - this.#flushed;
    const length = this.#length - from;
    if (from < 0 || at + length > target.length) return -1;
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) target[at + i] = bytes[from + i]!;
    return length;
  }

  /** Appends a whole number of up to 2^53. */
  decimal(value: number): void {
    if (value < 0) {
      this.ascii("-");
      value = -value;
    }
    const digits = this.#digits;
    let first = MOST_DIGITS;
    // Division of small integers is what compilers are good at.
    while (value > 0x3fffffff) {
      digits[--first] = 48 + value % 10;
      value = Math.floor(value / 10);
    }
    let small = value | 0;
    do {
      const rest = (small / 10) | 0;
      digits[--first] = 48 + small - rest * 10;
      small = rest;
    } while (small !== 0);
    if (this.#length + MOST_DIGITS > this.#limit) this.#makeRoom(MOST_DIGITS);
    const bytes = this.#bytes;
    let at = this.#length;
    while (first < MOST_DIGITS) bytes[at++] = digits[first++]!;
    this.#length = at;
  }

  #makeRoom(length: number): void {
    this.flush();
    if (this.#limit < CHUNK_BYTES) this.#limit *= 2;
    while (this.#limit < length) this.#limit *= 2;
  }

  /** Passes on what is pending. */
  flush(): void {
    if (this.#length === 0) return;
    this.#sink(this.#bytes.subarray(0, this.#length));
    this.#flushed += this.#length;
    this.#length = 0;
  }
}

/** The text that `write` writes. */
export function textOf(write: (sink: TextSink) => void): string {
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  write((bytes) => pieces.push(decoder.decode(bytes, { stream: true })));
  pieces.push(decoder.decode());
  return pieces.join("");
}

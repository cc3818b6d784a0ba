/**
 * Text of megabytes, passed on as bytes. Gathered as a string of JavaScript, whose pieces the engine joins in native code:
 * loops over bytes are faster once they are compiled, but a process that makes one dump is done by then.
 *
 * @module
 */

/** Takes a piece of the text, which is overwritten when it returns; a piece may end inside a character. */
export type TextSink = (bytes: Uint8Array) => void;

/** Characters that are gathered: the pieces of a string are garbage that should die young. */
const CHUNK_CHARS = 1 << 14;

const ENCODER = new TextEncoder();

/** Text that is passed on in pieces. */
export class TextBuffer {
  readonly #sink: TextSink;
  readonly names: Names;
  #bytes = new Uint8Array(CHUNK_CHARS * 4);
  #filled = 0;
  #text = "";

  constructor(sink: TextSink, names: Names) {
    this.#sink = sink;
    this.names = names;
  }

  /** Appends text of ASCII, or a name of the string section. */
  ascii(text: string): void {
    this.#text += text;
    if (this.#text.length > CHUNK_CHARS) this.#encode();
  }

  #encode(): void {
    const text = this.#text;
    this.#text = "";
    const { length } = text;
    if (this.#filled + length > this.#bytes.length) {
      this.#sink(this.#bytes.subarray(0, this.#filled));
      this.#filled = 0;
      if (length > this.#bytes.length) this.#bytes = new Uint8Array(length * 2);
    }
    if (this.names.plain) {
      this.#filled += ENCODER.encodeInto(text, this.#bytes.subarray(this.#filled)).written;
    } else {
      for (let i = 0; i < length; i++) this.#bytes[this.#filled++] = text.charCodeAt(i);
    }
  }

  /** Passes on what is pending. */
  flush(): void {
    this.#encode();
    if (this.#filled > 0) this.#sink(this.#bytes.subarray(0, this.#filled));
    this.#filled = 0;
  }

  copy(_s: Uint8Array, from: number): void {
    this.ascii(this.names.at(from));
  }
  decimal(n: number): void {
    this.ascii(`${n}`);
  }
  get text(): string { return this.#text; }
}

export class Names {
  readonly all: string;
  readonly plain: boolean;
  constructor(strings: Uint8Array) {
    const text = new TextDecoder().decode(strings);
    this.plain = text.length === strings.length && !text.includes("\uFFFD");
    this.all = text;
  }
  at(offset: number): string {
    const all = this.all;
    return all.substring(offset, all.indexOf("\0", offset));
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

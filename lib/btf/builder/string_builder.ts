/**
 * The string section of a BTF that is being built: each string once.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";

const UTF8 = new TextEncoder();

/** Collects strings and gives their offsets. */
export class StringBuilder {
  readonly #offsets = new Map<string, number>([["", 0]]);
  /** Starts with the empty string, as the format asks for. */
  #bytes: Uint8Array = new Uint8Array(256);
  #length = 1;

  /** Size in bytes. */
  get size(): number {
    return this.#length;
  }

  /**
   * Byte offset of `text`, which is added if it is new.
   *
   * @throws {FormatError} if it has a NUL inside: strings of BTF end there.
   */
  add(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    if (text.includes("\0")) throw new FormatError(`BTF string ${JSON.stringify(text)} has a NUL inside`);
    const offset = this.#length;
    // UTF-8 takes up to 3 bytes for a UTF-16 unit; one more for the NUL.
    this.#reserve(text.length * 3 + 1);
    this.#length += UTF8.encodeInto(text, this.#bytes.subarray(offset)).written + 1;
    this.#offsets.set(text, offset);
    return offset;
  }

  /** The section. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

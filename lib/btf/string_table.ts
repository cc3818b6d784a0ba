/**
 * The strings of a BTF: NUL-terminated, addressed by byte offset; a split BTF's offsets continue those of its base.
 *
 * @module
 */
import { decodeText } from "../bytes.ts";
import { FormatError } from "../errors.ts";

const UTF8 = new TextEncoder();

/** The bytes of a name to look for, or `undefined` if no BTF string can be equal to it (empty, or with a NUL inside). */
export function nameBytes(name: string): Uint8Array | undefined {
  if (name === "" || name.includes("\0")) return undefined;
  return UTF8.encode(name);
}

/** The string section of one BTF and those of its bases. */
export class StringTable {
  /** Own strings; the last byte is a NUL, so that a scan for the end needs no bound. */
  readonly bytes: Uint8Array;
  /** Offset of the first own string: the total size of the bases'. */
  readonly start: number;
  /** One past the last valid offset. */
  readonly end: number;
  readonly base: StringTable | undefined;
  readonly #what: string;
  readonly #memo = new Map<number, string>();

  /** @param what How errors call the BTF. */
  constructor(bytes: Uint8Array, base: StringTable | undefined, what: string) {
    this.bytes = bytes;
    this.base = base;
    this.start = base?.end ?? 0;
    this.end = this.start + bytes.length;
    this.#what = what;
  }

  /**
   * The string at `offset`.
   *
   * @throws {FormatError} if the offset is outside.
   */
  get(offset: number): string {
    if (offset === 0) return "";
    const known = this.#memo.get(offset);
    if (known !== undefined) return known;
    const table = this.#owner(offset);
    if (table !== this) return table.get(offset);
    const at = offset - this.start;
    const text = decodeText(this.bytes, at, this.bytes.indexOf(0, at));
    this.#memo.set(offset, text);
    return text;
  }

  /** The table among this one and its bases that holds `offset`. */
  #owner(offset: number): StringTable {
    if (offset >= this.start && offset < this.end) return this;
    if (!(offset >= 0 && offset < this.end && this.base !== undefined)) {
      throw new FormatError(`${this.#what}: string offset ${offset} lies outside its ${this.end} bytes of strings`);
    }
    return this.base.#owner(offset);
  }

  /** Whether the string at `offset` is `name`; not if the offset is outside. */
  equals(offset: number, name: Uint8Array): boolean {
    if (offset >= this.end) return false;
    const { bytes, at } = this.locate(offset);
    return equalsAt(bytes, at, name);
  }

  /** The bytes that hold the string at a valid `offset`, and where in them it starts. */
  locate(offset: number): { bytes: Uint8Array; at: number } {
    const owner = this.#owner(offset);
    return { bytes: owner.bytes, at: offset - owner.start };
  }
}

/** Whether the NUL-terminated string at `bytes[at]` is `name` (which has no NUL, so the comparison stays inside). */
export function equalsAt(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  const length = name.length;
  for (let i = 0; i < length; i++) {
    if (bytes[at + i] !== name[i]) return false;
  }
  return bytes[at + length] === 0;
}

/**
 * What stands before the name in declarations, by type: `const struct file *`. Most members and parameters are of few types,
 * and copying text is faster than to go through a chain of types for it.
 *
 * @module
 */
import type { TextBuffer } from "./text_buffer.ts";

/** Few, so that growing is not new to code that was compiled meanwhile. */
const FIRST_BYTES = 1 << 10;
/** Longer texts are not kept. */
const LONGEST = 1000;

/** Texts by type id. */
export class PrefixCache {
  readonly #starts: Uint32Array;
  readonly #lengths: Uint16Array;
  #bytes = new Uint8Array(FIRST_BYTES);
  #used = 0;

  /** @param count Number of ids. */
  constructor(count: number) {
    this.#starts = new Uint32Array(count);
    this.#lengths = new Uint16Array(count);
  }

  /** Writes the text of `id`, and gives its last character's code; 0 if there is none. */
  write(id: number, out: TextBuffer): number {
    const length = this.#lengths[id]!;
    if (length === 0) return 0;
    const end = this.#starts[id]! + length;
    out.append(this.#bytes, this.#starts[id]!, end);
    return this.#bytes[end - 1]!;
  }

  /** Keeps what was written to `out` since it was `start` bytes long. */
  keep(id: number, out: TextBuffer, start: number): void {
    const length = out.total - start;
    if (length > LONGEST) return;
    if (this.#used + length > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    if (out.copySince(start, this.#bytes, this.#used) < 0) return;
    this.#starts[id] = this.#used;
    this.#lengths[id] = length;
    this.#used += length;
  }
}

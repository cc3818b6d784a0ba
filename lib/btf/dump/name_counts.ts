/**
 * How often a name was used, by its bytes.
 *
 * @module
 */

/** Few, so that growing is not new to code that was compiled meanwhile. */
const FIRST_SLOTS = 1 << 6;

/** A slot of the table: words that one cache line holds. */
const SLOT = { key: 0, hash: 1, count: 2, words: 4 } as const;

/** Counts names: an open-addressing hash table over the string section. */
export class NameCounts {
  readonly #strings: Uint8Array;
  /** Slots; the key is a string offset plus 1, so that 0 is a free slot. */
  #table = new Uint32Array(FIRST_SLOTS * SLOT.words);
  #used = 0;

  constructor(strings: Uint8Array) {
    this.#strings = strings;
  }

  /** Counts the name at `offset` once more, and gives how often it was counted. */
  add(offset: number): number {
    const strings = this.#strings;
    // Small numbers only: larger ones would be objects until this is compiled.
    let hash = 0;
    for (let at = offset; strings[at]! > 0; at++) hash = (hash * 31 + strings[at]!) & 0xffffff;
    const table = this.#table;
    const mask = table.length - 1;
    let slot = hash * SLOT.words & mask;
    for (; table[slot] !== 0; slot = (slot + SLOT.words) & mask) {
      if (table[slot + SLOT.hash] !== hash) continue;
      const known = table[slot]! - 1;
      if (known === offset || this.#equal(known, offset)) return ++table[slot + SLOT.count]!;
    }
    table[slot] = offset + 1;
    table[slot + SLOT.hash] = hash;
    table[slot + SLOT.count] = 1;
    if (++this.#used * 2 * SLOT.words > table.length) this.#grow();
    return 1;
  }

  #equal(a: number, b: number): boolean {
    const strings = this.#strings;
    for (; strings[a] === strings[b]; a++, b++) {
      if (strings[a] === 0) return true;
    }
    return false;
  }

  #grow(): void {
    const old = this.#table;
    const table = new Uint32Array(old.length * 4);
    const mask = table.length - 1;
    for (let from = 0; from < old.length; from += SLOT.words) {
      if (old[from] === 0) continue;
      let slot = old[from + SLOT.hash]! * SLOT.words & mask;
      while (table[slot] !== 0) slot = (slot + SLOT.words) & mask;
      table[slot] = old[from]!;
      table[slot + SLOT.hash] = old[from + SLOT.hash]!;
      table[slot + SLOT.count] = old[from + SLOT.count]!;
    }
    this.#table = table;
  }
}

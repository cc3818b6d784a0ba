/**
 * Strings of many BTFs, each once. They are taken over as bytes, a whole section at a time: nothing is decoded.
 *
 * @module
 */

const UTF8 = new TextEncoder();

/** So many that V8 has begun to note what happens. */
const WARMING_NAMES = 40;

/** Bytes that are looked at together. */
const WORD = 4;

/** The strings of a {@linkcode StringSet} that are used. */
export interface CompactStrings {
  /** The string section. */
  readonly bytes: Uint8Array;
  /** New offset by old offset. */
  readonly offsets: Uint32Array;
}

/** Strings by their bytes; what stands for one is its offset here. */
export class StringSet {
  /** Starts with the empty string, as the format asks for. */
  #bytes: Uint8Array = new Uint8Array(1 << 18);
  #length = 1;
  /** Open addressing: offset of a string, 0 for a free slot. */
  #slots = new Uint32Array(1 << 15);
  /** The hash of the string in each slot. */
  #hashes = new Int32Array(1 << 15);
  #count = 0;
  /** Offsets of all strings, ascending. */
  #starts = new Uint32Array(1 << 14);
  /** Whoever refers to the string at an offset sets `used[offset]` to 1; the others are left out at last. */
  used: Uint8Array = new Uint8Array(this.#bytes.length);

  /**
   * Nothing in it. What a compiler has not seen happen it leaves out of its code, and starts again when it does happen: so
   * all that `addSection()` can meet happens here first, on some names, which takes a quarter off a first merge.
   * Nobody uses the names, so they are in no result.
   */
  constructor() {
    const names = Array.from({ length: WARMING_NAMES }, (_, i) => `name_of_${i}\0`).join("");
    // New ones, known ones, and known ones behind each other.
    const section = UTF8.encode(names.repeat(3));
    this.addSection(section, new Uint32Array(section.length));
  }

  /** Offset of `text`, which has no NUL inside. */
  addText(text: string): number {
    if (text === "") return 0;
    const section = UTF8.encode(`${text}\0`);
    const offsets = new Uint32Array(section.length);
    this.addSection(section, offsets);
    this.used[offsets[0]!] = 1;
    return offsets[0]!;
  }

  /** The strings that are used, and where each of them went: `offsets[old]`. */
  compact(): CompactStrings {
    const offsets = new Uint32Array(this.#length);
    const bytes = new Uint8Array(this.#length);
    let length = 1;
    let runStart = 1;
    for (let i = 0; i < this.#count; i++) {
      const start = this.#starts[i]!;
      const end = i + 1 < this.#count ? this.#starts[i + 1]! : this.#length;
      if (this.used[start] === 1) {
        offsets[start] = length + start - runStart;
      } else {
        bytes.set(this.#bytes.subarray(runStart, start), length);
        length += start - runStart;
        runStart = end;
      }
    }
    bytes.set(this.#bytes.subarray(runStart, this.#length), length);
    length += this.#length - runStart;
    return { bytes: bytes.subarray(0, length), offsets };
  }

  /**
   * Adds all strings of a section, which ends with a NUL, and writes where they went: `offsets[at]` for the string that
   * starts at `at`.
   *
   * One loop without calls: most of what merging costs a process that has just started is running code that no compiler
   * has seen yet, and a loop like this is compiled the soonest. Four bytes at a time, because names are most of a BTF.
   * Compilers of like sources give strings in like orders: of five strings, four follow each other here as they do there, and
   * need no hash.
   */
  addSection(section: Uint8Array, offsets: Uint32Array): void {
    const end = section.length;
    this.#reserve(end);
    // Reading words needs some bytes behind the last.
    const padded = new Uint8Array(end + WORD);
    padded.set(section);
    const from = new DataView(padded.buffer);
    const to = new DataView(this.#bytes.buffer);
    let slots = this.#slots;
    let hashes = this.#hashes;
    let mask = slots.length - 1;
    let length = this.#length;
    /** The string behind the last one, which may well be the next. */
    let likely = length;
    for (let start = 0; start < end;) {
      let hash = 0;
      let at = start;
      let word = from.getInt32(at, true);
      // The lowest bit that is set is that of the first byte that is 0.
      let zeros = (word - 0x01010101) & ~word & 0x80808080;
      if (likely < length) {
        const shift = likely - start;
        while (zeros === 0 && to.getInt32(at + shift, true) === word) {
          at += WORD;
          word = from.getInt32(at, true);
          zeros = (word - 0x01010101) & ~word & 0x80808080;
        }
        const bits = 31 - Math.clz32(zeros & -zeros) - 7;
        if (zeros !== 0 && ((to.getInt32(at + shift, true) ^ word) & ((1 << bits) - 1 << 8 | 0xff)) === 0) {
          at += bits >>> 3;
          if (at !== start) {
            offsets[start] = likely;
            likely += at + 1 - start;
          }
          start = at + 1;
          continue;
        }
        at = start;
        word = from.getInt32(at, true);
        zeros = (word - 0x01010101) & ~word & 0x80808080;
      }
      while (zeros === 0) {
        hash = Math.imul(hash ^ word, 0x9e3779b1);
        hash ^= hash >>> 15;
        at += WORD;
        word = from.getInt32(at, true);
        zeros = (word - 0x01010101) & ~word & 0x80808080;
      }
      const lastBits = 31 - Math.clz32(zeros & -zeros) - 7;
      const lastMask = (1 << lastBits) - 1;
      hash = Math.imul(hash ^ (word & lastMask), 0x9e3779b1);
      hash ^= hash >>> 15;
      const last = at;
      at += lastBits >>> 3;
      if (at !== start) {
        let slot = hash & mask;
        let known = slots[slot]!;
        for (; known !== 0; slot = (slot + 1) & mask, known = slots[slot]!) {
          if (hashes[slot] !== hash) continue;
          let i = start;
          const shift = known - start;
          while (i < last && to.getInt32(i + shift, true) === from.getInt32(i, true)) i += WORD;
          if (i === last && ((to.getInt32(i + shift, true) ^ word) & (lastMask << 8 | 0xff)) === 0) break;
        }
        if (known === 0) {
          known = length;
          for (let i = start; i < last; i += WORD) to.setInt32(i + known - start, from.getInt32(i, true), true);
          to.setInt32(last + known - start, word & lastMask, true);
          length += at + 1 - start;
          slots[slot] = known;
          hashes[slot] = hash;
          this.#starts[this.#count] = known;
          if (++this.#count * 2 > mask) {
            this.#rehash();
            slots = this.#slots;
            hashes = this.#hashes;
            mask = slots.length - 1;
          }
        }
        offsets[start] = known;
        likely = known + at + 1 - start;
      }
      start = at + 1;
    }
    this.#length = length;
  }

  #reserve(more: number): void {
    if (this.#length + more + WORD <= this.#bytes.length) return;
    const size = Math.max(this.#bytes.length * 2, this.#length + more + WORD);
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    const used = new Uint8Array(size);
    used.set(this.used);
    this.used = used;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 4);
    const hashes = new Int32Array(slots.length);
    const mask = slots.length - 1;
    for (let old = 0; old < this.#slots.length; old++) {
      const offset = this.#slots[old]!;
      if (offset === 0) continue;
      let slot = this.#hashes[old]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = offset;
      hashes[slot] = this.#hashes[old]!;
    }
    this.#slots = slots;
    this.#hashes = hashes;
    const starts = new Uint32Array(slots.length / 2);
    starts.set(this.#starts);
    this.#starts = starts;
  }
}

/**
 * Ids by a hash of their records, several of one hash in the order in which they came.
 *
 * @module
 */
import { BTF_TYPE, infoKind, infoVlen, knownRecordSizes } from "../wire.ts";

const SIZES = knownRecordSizes();

/** Words of the record at `at`. */
export function recordLength(words: Uint32Array, at: number): number {
  const info = words[at + BTF_TYPE.info]!;
  const kind = infoKind(info);
  return SIZES.fixed[kind]! + infoVlen(info) * SIZES.perElement[kind]!;
}

/** Mixes one more word into a hash. */
export function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** Open addressing: whoever looks walks the slots from a hash to the first free one. */
export class HashTable {
  readonly #hashes: Int32Array;
  readonly #ids: Uint32Array;
  readonly #mask: number;

  /** A table for up to `capacity` ids. */
  constructor(capacity: number) {
    const size = 1 << Math.max(4, 33 - Math.clz32(capacity));
    this.#hashes = new Int32Array(size);
    this.#ids = new Uint32Array(size);
    this.#mask = size - 1;
  }

  /** The first slot to look at. */
  start(hash: number): number {
    return hash & this.#mask;
  }

  /** The slot behind `slot`. */
  next(slot: number): number {
    return (slot + 1) & this.#mask;
  }

  /** The id in a slot if its hash is `hash`; 0 if the slot is free, so that there are no more; -1 for another hash. */
  at(slot: number, hash: number): number {
    const id = this.#ids[slot]!;
    return id === 0 || this.#hashes[slot] === hash ? id : -1;
  }

  /** Puts an id into a free slot. */
  put(slot: number, hash: number, id: number): void {
    this.#hashes[slot] = hash;
    this.#ids[slot] = id;
  }
}

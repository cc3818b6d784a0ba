/**
 * The producer's side of a ring buffer in plain memory, as kernel/bpf/ringbuf.c does it: what RingReader reads.
 *
 * @module
 */
import type { RingMemory } from "../../../ffi/events/ring.ts";

const BUSY = 0x8000_0000;
const DISCARD = 0x4000_0000;

/** A record that was reserved: where its header is, and how long its data. */
export interface Reserved {
  readonly position: bigint;
  readonly length: number;
}

/** A ring whose two copies of the data are kept equal by writing every byte twice. */
export class RingSimulator {
  readonly size: number;
  readonly memory: RingMemory;
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #data: DataView;

  /**
   * @param size Size of the data in bytes: a power of two.
   * @param position Where both sides begin.
   */
  constructor(size: number, position = 0n) {
    this.size = size;
    // The data begins behind a page, as it does in the mapping of a real one.
    const rest = new ArrayBuffer(64 + 2 * size);
    this.memory = { consumer: new ArrayBuffer(64), producer: rest, data: rest, dataOffset: 64 };
    this.#consumer = new BigUint64Array(this.memory.consumer, 0, 1);
    this.#producer = new BigUint64Array(rest, 0, 1);
    this.#data = new DataView(rest, 64);
    this.#consumer[0] = this.#producer[0] = position;
  }

  /** Up to where the consumer says it has read. */
  get consumed(): bigint {
    return this.#consumer[0]!;
  }

  /** Up to where records are reserved. */
  get produced(): bigint {
    return this.#producer[0]!;
  }

  /** Bytes that are not given back yet. */
  get used(): number {
    return Number(this.produced - this.consumed);
  }

  /** Reserves a record, busy; `undefined` if the ring is full. */
  reserve(length: number): Reserved | undefined {
    const step = (length + 8 + 7) & ~7;
    if (this.used + step > this.size - 1) return undefined;
    const position = this.produced;
    this.#setHeader(position, length | BUSY);
    this.#producer[0] = position + BigInt(step);
    return { position, length };
  }

  /** Ends a record, with data that `fill` gives byte by byte. */
  submit({ position, length }: Reserved, fill: (index: number) => number): void {
    for (let i = 0; i < length; i++) this.#setByte(Number(position % BigInt(this.size)) + 8 + i, fill(i));
    this.#setHeader(position, length);
  }

  /** Ends a record that is to be skipped. */
  discard({ position, length }: Reserved): void {
    this.#setHeader(position, length | DISCARD);
  }

  /** Reserves and ends a record whose data are the given bytes; `false` if the ring is full. */
  write(...bytes: number[]): boolean {
    const reserved = this.reserve(bytes.length);
    if (reserved !== undefined) this.submit(reserved, (i) => bytes[i]!);
    return reserved !== undefined;
  }

  #setHeader(position: bigint, length: number): void {
    const at = Number(position % BigInt(this.size));
    for (const copy of [0, this.size]) this.#data.setUint32(at + copy, length >>> 0, true);
  }

  #setByte(offset: number, byte: number): void {
    const at = offset % this.size;
    this.#data.setUint8(at, byte);
    this.#data.setUint8(at + this.size, byte);
  }
}

/** Numbers from 0 to 2^32 - 1 that look random, the same ones for the same seed (xorshift32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

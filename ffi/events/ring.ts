/**
 * Reading a BPF ring buffer's memory (kernel/bpf/ringbuf.c, Linux 5.8): records are read where the kernel wrote them.
 *
 * The data pages are mapped twice, one behind the other, so a record that wraps is still contiguous. A record is a
 * header of two 32-bit words (length with two flag bits, page offset) and its data, rounded up to 8 bytes. The producer
 * writes a header as busy before it moves its position past it, and the finished length when the data is there.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { BpfRingbuf } from "../../lib/uapi/mod.ts";

/** Receives one record: valid until the function returns, then the kernel may overwrite it. */
export type RecordHandler = (view: DataView, offset: number, length: number) => void;

const HEADER_BYTES = BpfRingbuf.BPF_RINGBUF_HDR_SZ;
const DISCARD_BIT = BpfRingbuf.BPF_RINGBUF_DISCARD_BIT;
/** What neither flag covers; the busy bit is the sign. */
const LENGTH_MASK = DISCARD_BIT - 1;
/** A record takes its header and its data, rounded up to 8 bytes. */
const STEP = HEADER_BYTES + 7;
const LITTLE = HOST_BYTE_ORDER === "little";
/** More records than any ring holds: limits stay small integers, which the loop compares faster. */
const NO_LIMIT = 0x3fff_ffff;

/** The mapped memory of a ring buffer. */
export interface RingMemory {
  /** The consumer's page: its position, writable. */
  readonly consumer: ArrayBuffer;
  /** The producer's page: its position. */
  readonly producer: ArrayBuffer;
  /** Holds the data pages, twice, up to its end. */
  readonly data: ArrayBuffer;
  /** Where in `data` they begin, in bytes. */
  readonly dataOffset: number;
}

/** The consumer's side of a ring buffer. */
export class RingReader {
  readonly #consumerPosition: BigInt64Array;
  readonly #producerPosition: Int32Array;
  readonly #words: Int32Array;
  readonly #view: DataView;
  readonly #mask: number;
  readonly #ordered: boolean;
  /** Positions count bytes since the map was made: below 2^53 for 285 years at 1 MB/s. */
  #position: number;
  /** Up to where the kernel knows that records were read; never behind what it may overwrite. */
  #released: number;
  #stopped = false;

  /**
   * @param memory The mapped pages.
   * @param options `ordered`: the machine keeps loads in order (x86-64), so that headers may be read by plain loads.
   */
  constructor(memory: RingMemory, options: { ordered: boolean }) {
    this.#consumerPosition = new BigInt64Array(memory.consumer, 0, 1);
    this.#producerPosition = new Int32Array(memory.producer, 0, 1);
    this.#words = new Int32Array(memory.data, memory.dataOffset);
    this.#view = new DataView(memory.data, memory.dataOffset);
    this.#mask = this.#view.byteLength / 2 - 1;
    this.#ordered = options.ordered;
    this.#position = this.#released = Number(Atomics.load(this.#consumerPosition, 0));
  }

  /** Bytes of records that are not read yet, and of those that are and whose space was not given back. */
  get usedBytes(): number {
    return (Atomics.load(this.#producerPosition, 0) - (this.#released | 0)) >>> 0;
  }

  /** Is there anything that is not read yet. */
  get pending(): boolean {
    return !this.#stopped && Atomics.load(this.#producerPosition, 0) !== (this.#position | 0);
  }

  /** Is the next record one that its producer has reserved and not submitted yet. */
  get busy(): boolean {
    return this.pending && Atomics.load(this.#words, (this.#position & this.#mask) >> 2) < 0;
  }

  /**
   * Gives back what was read. No record will be read any more, also not by a `drain` that is under way; after one, to be
   * called again.
   */
  stop(): void {
    this.#stopped = true;
    this.#release();
  }

  /**
   * Hands finished records to `handler`, at most `limit`, and gives their space back: in one store for each batch.
   *
   * Ends after one ring full at the latest, since a program that writes as fast as it is read would hold it for ever.
   * Should `handler` throw, the record it was given counts as read.
   *
   * @returns How many records were handed over; discarded ones do not count.
   */
  drain(handler: RecordHandler, limit: number = NO_LIMIT): number {
    const most = Math.min(limit, NO_LIMIT);
    const end = this.#position + this.#mask;
    let handed = 0;
    // The kernel wakes up a waiter only when the consumer had caught up: so look again after each store.
    for (;;) {
      const before = this.#position;
      try {
        handed += this.#batch(handler, most - handed);
      } finally {
        this.#release();
      }
      if (this.#position === before || this.#position > end || handed >= most) return handed;
    }
  }

  /**
   * Hands one finished record to `handler`. Its space is given back when there is no other, when {@linkcode stop} is
   * called, or when an eighth of the ring waits for it: a store for each record costs more than reading it.
   *
   * @returns Was there one.
   */
  next(handler: RecordHandler): boolean {
    if (this.#position - this.#released > this.#mask >> 3) this.#release();
    return this.#batch(handler, 1) > 0 || (this.#release() && this.#batch(handler, 1) > 0);
  }

  /**
   * Hands finished records to `handler` as {@linkcode RingReader.drain} does, but gives no space back: what was handed over
   * stays as it is until {@linkcode RingReader.release}.
   */
  hold(handler: RecordHandler, limit: number = NO_LIMIT): number {
    return this.#batch(handler, Math.min(limit, NO_LIMIT));
  }

  /** Gives back the space of all that was read. */
  release(): void {
    this.#release();
  }

  /** Gives space back; `false` if all is given back already. */
  #release(): boolean {
    if (this.#released === this.#position) return false;
    this.#released = this.#position;
    Atomics.store(this.#consumerPosition, 0, BigInt(this.#position));
    return true;
  }

  #batch(handler: RecordHandler, limit: number): number {
    const words = this.#words;
    const view = this.#view;
    const mask = this.#mask;
    const ordered = this.#ordered;
    const start = this.#position | 0;
    // Records end where the producer's position is, which is a multiple of 8: equality is all there is to ask.
    const end = Atomics.load(this.#producerPosition, 0);
    let low = start;
    let left = limit;
    try {
      while (low !== end && left > 0 && !this.#stopped) {
        const offset = low & mask;
        // Through the handler's view, whose bounds are at hand then: 3.3 ns a record instead of 5.3.
        const header = ordered ? view.getInt32(offset, LITTLE) : Atomics.load(words, offset >> 2);
        if (header < 0) break;
        if (header < DISCARD_BIT) {
          // Advanced first: a record whose handler throws counts as read.
          low = (low + ((header + STEP) & ~7)) | 0;
          left--;
          handler(view, offset + HEADER_BYTES, header);
        } else low = (low + (((header & LENGTH_MASK) + STEP) & ~7)) | 0;
      }
    } finally {
      this.#position += (low - start) | 0;
    }
    return limit - left;
  }
}

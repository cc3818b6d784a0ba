/**
 * Writing to a user ring buffer's memory (kernel/bpf/ringbuf.c, Linux 6.1): what RingReader reads, the other way round. This
 * side is the producer, a program that calls bpf_user_ringbuf_drain the consumer.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { BpfRingbuf } from "../../lib/uapi/mod.ts";

const HEADER_BYTES = BpfRingbuf.BPF_RINGBUF_HDR_SZ;
const BUSY_BIT = BpfRingbuf.BPF_RINGBUF_BUSY_BIT;
const DISCARD_BIT = BpfRingbuf.BPF_RINGBUF_DISCARD_BIT;
const LENGTH_MASK = DISCARD_BIT - 1;
const LITTLE = HOST_BYTE_ORDER === "little";

/** The mapped memory of a user ring buffer. */
export interface UserRingMemory {
  /** The consumer's page: its position, read only. */
  readonly consumer: ArrayBuffer;
  /** The producer's page: its position; then the data pages, twice, up to its end. */
  readonly producer: ArrayBuffer;
  /** Where in `producer` the data begins, in bytes. */
  readonly dataOffset: number;
}

/** The producer's side of a user ring buffer. */
export class UserRing {
  /** Size of the data in bytes. */
  readonly sizeBytes: number;
  readonly #consumer: Int32Array;
  readonly #producer: BigInt64Array;
  readonly #words: Int32Array;
  readonly #data: DataView;
  #position: number;

  /** @param memory The mapped pages. */
  constructor(memory: UserRingMemory) {
    this.#consumer = new Int32Array(memory.consumer, 0, 1);
    this.#producer = new BigInt64Array(memory.producer, 0, 1);
    this.#words = new Int32Array(memory.producer, memory.dataOffset);
    this.#data = new DataView(memory.producer, memory.dataOffset);
    this.sizeBytes = this.#data.byteLength / 2;
    this.#position = Number(Atomics.load(this.#producer, 0));
  }

  /** Bytes of records that the program has not taken yet. */
  get usedBytes(): number {
    return ((this.#position | 0) - Atomics.load(this.#consumer, 0)) >>> 0;
  }

  /** Bytes that a record takes with its header. */
  static recordBytes(length: number): number {
    return (length + HEADER_BYTES + 7) & ~7;
  }

  /**
   * Reserves a record of `length` bytes: the program stops at it until it is submitted or discarded.
   *
   * @returns A view of its memory, of any content; `undefined` if there is no room now.
   */
  reserve(length: number): DataView | undefined {
    const step = UserRing.recordBytes(length);
    if (this.sizeBytes - this.usedBytes < step) return undefined;
    const offset = this.#position & (this.sizeBytes - 1);
    this.#data.setUint32(offset, length | BUSY_BIT, LITTLE);
    this.#data.setUint32(offset + 4, 0, LITTLE);
    this.#position += step;
    // The program may look at the header from now on: this store is seen after those before it.
    Atomics.store(this.#producer, 0, BigInt(this.#position));
    return new DataView(this.#data.buffer, this.#data.byteOffset + offset + HEADER_BYTES, length);
  }

  /** Ends a record: the program may read it, or is to skip it. */
  end(record: DataView, discard: boolean): void {
    const word = (record.byteOffset - this.#data.byteOffset - HEADER_BYTES) >> 2;
    const length = this.#words[word]! & LENGTH_MASK;
    Atomics.store(this.#words, word, discard ? length | DISCARD_BIT : length);
  }
}

/**
 * Ring buffers in overwrite mode (`BPF_F_RB_OVERWRITE`, 6.19): when the ring is full, new records take the place of the
 * oldest, read or not.
 *
 * Beside the producer's position the kernel keeps one behind the last record that was overwritten, which it moves before it
 * writes (kernel/bpf/ringbuf.c, __bpf_ringbuf_reserve()). So a record is copied first, and counts if that position has not
 * passed it by then.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfMapFlag, BpfMapType, BpfRingbuf } from "../../lib/uapi/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import * as sys from "../sys/mod.ts";
import { claimMap } from "./being_read.ts";
import { mapRing } from "./ring_memory.ts";
import { nap, Pace } from "./pace.ts";
import type { RecordHandler, RingMemory } from "./ring.ts";
import { Readiness } from "./waiter.ts";

const HEADER_BYTES = BpfRingbuf.BPF_RINGBUF_HDR_SZ;
const DISCARD_BIT = BpfRingbuf.BPF_RINGBUF_DISCARD_BIT;
const LENGTH_MASK = DISCARD_BIT - 1;
/** Positions in the producer's page, counted in 64-bit words: `producer_pos`, `pending_pos`, `overwrite_pos`. */
const PAGE = { producer: 0, overwritten: 2 } as const;

/** The consumer's side of a ring buffer in overwrite mode. */
export class OverwriteReader {
  readonly #consumer: BigInt64Array;
  readonly #positions: BigInt64Array;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #copy: DataView;
  readonly #mask: number;
  #position: number;
  #lostBytes = 0;

  /** @param memory The mapped pages. */
  constructor(memory: RingMemory) {
    this.#consumer = new BigInt64Array(memory.consumer, 0, 1);
    this.#positions = new BigInt64Array(memory.producer, 0, 3);
    this.#words = new Int32Array(memory.data, memory.dataOffset);
    this.#bytes = new Uint8Array(memory.data, memory.dataOffset);
    const size = this.#bytes.length / 2;
    this.#mask = size - 1;
    this.#copy = new DataView(new ArrayBuffer(size));
    this.#position = Number(Atomics.load(this.#consumer, 0));
  }

  /** Bytes of records, with their headers, that were overwritten before they were read. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  /** Is the next record one that its producer has reserved and not submitted yet. */
  get busy(): boolean {
    this.#skipLost();
    return this.#position !== this.#producer() && Atomics.load(this.#words, (this.#position & this.#mask) >> 2) < 0;
  }

  /** Hands a copy of each record that is whole to `handler`; gives how many there were. */
  drain(handler: RecordHandler): number {
    const end = this.#producer();
    let handed = 0;
    try {
      while (this.#skipLost() < end) {
        // (Positions above 2^32 are cut, which the mask does anyway.)
        const offset = this.#position & this.#mask;
        const header = Atomics.load(this.#words, offset >> 2);
        if (header < 0) break;
        const length = header & LENGTH_MASK;
        const fits = length <= this.#mask;
        if (fits) this.#copyOf(offset + HEADER_BYTES, length);
        // What was copied is the record only if the kernel has not come to it meanwhile.
        if (this.#overwritten() > this.#position) continue;
        this.#position += (length + HEADER_BYTES + 7) & ~7;
        if ((header & DISCARD_BIT) !== 0 || !fits) continue;
        handed++;
        handler(this.#copy, 0, length);
      }
    } finally {
      Atomics.store(this.#consumer, 0, BigInt(this.#position));
    }
    return handed;
  }

  #copyOf(offset: number, length: number): void {
    new Uint8Array(this.#copy.buffer, 0, length).set(this.#bytes.subarray(offset, offset + length));
  }

  /** Goes on behind what was overwritten; gives the position of the next record. */
  #skipLost(): number {
    const overwritten = this.#overwritten();
    if (overwritten > this.#position) {
      this.#lostBytes += overwritten - this.#position;
      this.#position = overwritten;
    }
    return this.#position;
  }

  #producer(): number {
    return Number(Atomics.load(this.#positions, PAGE.producer));
  }

  #overwritten(): number {
    return Number(Atomics.load(this.#positions, PAGE.overwritten));
  }
}

/**
 * A ring buffer map in overwrite mode: the last records, as many as fit. What was overwritten before it was read is told in
 * bytes, since nobody counts records there.
 */
export class OverwriteRing implements Disposable {
  /** Name of the map. */
  readonly name: string;
  /** Size of the data in bytes. */
  readonly sizeBytes: number;
  readonly #reader: OverwriteReader;
  readonly #pace: Pace;
  readonly #resources: DisposableStack;
  #reading = false;
  #closed = false;

  /**
   * Maps the memory of `map`, which may be closed afterwards.
   *
   * @throws {UnsupportedError} if `map` is no ring buffer in overwrite mode.
   * @throws {Error} if there is a reader already.
   * @throws {SyscallError} if its memory cannot be mapped.
   */
  constructor(map: BpfMap) {
    const { id, type, maxEntries, mapFlags } = sys.mapInfo(map.fd);
    if (type !== BpfMapType.BPF_MAP_TYPE_RINGBUF || (mapFlags & BpfMapFlag.BPF_F_RB_OVERWRITE) === 0) {
      throw new UnsupportedError("overwrite mode", `map "${map.name}" is no ring buffer with BPF_F_RB_OVERWRITE`);
    }
    using cleanup = new DisposableStack();
    cleanup.use(claimMap(id, `ring buffer "${map.name}"`));
    this.name = map.name;
    this.sizeBytes = maxEntries;
    const { fd, consumer, rest, dataOffset } = mapRing(map.fd, maxEntries, "consumer", cleanup);
    const { buffer } = rest;
    this.#reader = new OverwriteReader({
      consumer: consumer.buffer,
      producer: buffer,
      data: buffer,
      dataOffset,
    });
    this.#pace = new Pace(cleanup.use(new Readiness(fd)));
    this.#resources = cleanup.move();
  }

  /** Bytes of records, with their headers, that were overwritten before they were read. */
  get lostBytes(): number {
    return this.#reader.lostBytes;
  }

  /** Is it closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Hands the records that are there to `handler`, oldest first: a copy, valid until it returns.
   *
   * @returns How many there were.
   */
  drain(handler: RecordHandler): number {
    if (this.#closed) return 0;
    if (this.#reading) throw new Error(`ring buffer "${this.name}" is being drained already`);
    this.#reading = true;
    try {
      const count = this.#reader.drain(handler);
      this.#pace.note(count);
      return count;
    } finally {
      this.#reading = false;
      if (this.#closed) this.#resources.dispose();
    }
  }

  /** Resolves when there may be a record, or when it is closed. Does not block the event loop. */
  async readable(): Promise<void> {
    if (this.#closed) return;
    if (this.#reader.busy) await nap();
    else await this.#pace.wait();
  }

  /** Unmaps the memory and ends a wait that is under way. Closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#reading) this.#resources.dispose();
  }

  /** As {@linkcode OverwriteRing.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

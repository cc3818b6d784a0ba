/**
 * A ring buffer map (`BPF_MAP_TYPE_RINGBUF`, 5.8) as something to read from.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import * as sys from "../sys/mod.ts";
import { claimMap } from "./being_read.ts";
import { mapRing } from "./ring_memory.ts";
import { nap, Pace, turn } from "./pace.ts";
import { RecordBatch } from "./record_batch.ts";
import type { RecordSource } from "./record_source.ts";
import { type RecordHandler, RingReader } from "./ring.ts";
import { Readiness } from "./waiter.ts";

/** How a ring buffer is read. */
export interface RingBufferOptions {
  /**
   * Read headers by atomic loads, also where the machine keeps loads in order (x86-64) and plain ones are right and take
   * half the time.
   */
  readonly atomics?: boolean | undefined;
}

/** The mapped memory of a ring buffer map. It keeps what it needs of the map: the map may be closed before it. */
export class RingBuffer implements RecordSource {
  /** Name of the map. */
  readonly name: string;
  /** Size of the data in bytes. */
  readonly sizeBytes: number;
  /** All CPUs share the ring. */
  readonly perCpu: boolean = false;
  /** The kernel counts nothing: a program that cannot reserve space is told so, and may count it. */
  readonly lost: number = 0;
  readonly #resources: DisposableStack;
  readonly #memory: sys.Mapping;
  readonly #reader: RingReader;
  readonly #pace: Pace;
  #reading = false;
  #batch: RecordBatch | undefined;
  #closed = false;

  /**
   * Maps the memory of `map`.
   *
   * @param map The map.
   * @param options How it is read.
   * @throws {UnsupportedError} if `map` is no ring buffer, or one in overwrite mode: see {@linkcode OverwriteRing}.
   * @throws {Error} if there is a reader already: a ring has one position that all would share.
   * @throws {SyscallError} if its memory cannot be mapped.
   */
  constructor(map: BpfMap, options: RingBufferOptions = {}) {
    if (map.spec.type !== BpfMapType.BPF_MAP_TYPE_RINGBUF) {
      throw new UnsupportedError("reading events", `map "${map.name}" is not a ring buffer (BPF_MAP_TYPE_RINGBUF)`);
    }
    const { id, maxEntries, mapFlags } = sys.mapInfo(map.fd);
    if ((mapFlags & BpfMapFlag.BPF_F_RB_OVERWRITE) !== 0) {
      throw new UnsupportedError(
        "ring buffers in overwrite mode",
        `map "${map.name}" has BPF_F_RB_OVERWRITE: its program may overwrite what is read meanwhile; use OverwriteRing`,
      );
    }
    using cleanup = new DisposableStack();
    cleanup.use(claimMap(id, `ring buffer "${map.name}"`));
    this.name = map.name;
    this.sizeBytes = maxEntries;
    const { fd, consumer, rest, dataOffset } = mapRing(map.fd, maxEntries, "consumer", cleanup);
    this.#memory = rest;
    this.#reader = new RingReader({
      consumer: consumer.buffer,
      producer: rest.buffer,
      data: rest.buffer,
      dataOffset,
    }, { ordered: Deno.build.arch === "x86_64" && options.atomics !== true });
    this.#pace = new Pace(cleanup.use(new Readiness(fd)));
    this.#resources = cleanup.move();
  }

  /**
   * Hands the finished records to `handler`, which gets the ring's own memory: it is valid until `handler` returns. Their
   * space is given back in one go, also if `handler` throws; the record that it was given counts as read then.
   *
   * One call ends after as much data as the ring can hold, since a program may write as fast as `handler` reads.
   *
   * @param limit How many at most.
   * @returns How many there were; 0 when it is closed.
   *
   * @example Counting by a member, without making an object of each record
   * ```ts
   * import { type BtfType, compileReader, type RingBuffer } from "@debpf/debpf";
   *
   * function bytesSent(ring: RingBuffer, type: BtfType): number {
   *   const record = new (compileReader<{ bytes: number }>(type, { order: "little" }))();
   *   let bytes = 0;
   *   ring.drain((view, offset) => bytes += record.at(view, offset).bytes);
   *   return bytes;
   * }
   * ```
   */
  drain(handler: RecordHandler, limit?: number): number {
    if (!this.#begin()) return 0;
    let count = 0;
    try {
      count = this.#reader.drain(handler, limit);
    } finally {
      this.#end();
    }
    this.#pace.note(count);
    return count;
  }

  /**
   * Hands one finished record to `handler`, if there is one. Its space is given back later, with that of others, at the
   * latest when there is no other record or the ring buffer is closed.
   *
   * @returns Was there one.
   */
  next(handler: RecordHandler): boolean {
    if (!this.#begin()) return false;
    let found = false;
    try {
      found = this.#reader.next(handler);
    } finally {
      this.#end();
    }
    if (found) this.#pace.note(1);
    return found;
  }

  /**
   * The finished records, as views on the ring's own memory that live until the batch is disposed of. Until then nothing
   * else is read, and their space is not given back.
   *
   * @param limit How many at most.
   *
   * @example
   * ```ts
   * import type { RingBuffer } from "@debpf/debpf";
   *
   * function firstWords(ring: RingBuffer): number[] {
   *   using batch = ring.batch();
   *   return Array.from(batch, (record) => record.getUint32(0, true));
   * }
   * ```
   */
  batch(limit?: number): RecordBatch {
    if (!this.#begin()) return new RecordBatch([], () => {});
    const memory = this.#memory.lend();
    const records: DataView[] = [];
    this.#reader.hold((view, offset, length) => {
      records.push(new DataView(memory, view.byteOffset + offset, length));
    }, limit);
    this.#pace.note(records.length);
    return this.#batch = new RecordBatch(records, () => {
      this.#batch = undefined;
      memory.transfer(0);
      this.#reader.release();
      this.#end();
    });
  }

  /** Bytes that records take which were not read yet. */
  get usedBytes(): number {
    return this.#closed ? 0 : this.#reader.usedBytes;
  }

  /** Is it closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when there may be a record, or when the ring buffer is closed. Does not block the event loop. */
  async readable(): Promise<void> {
    if (this.#closed) return;
    // To the kernel a record that is reserved and not submitted is something to read: polling would spin until it is.
    if (this.#reader.busy) await nap();
    else if (this.#reader.pending) await turn();
    else await this.#pace.wait();
  }

  /** Unmaps the memory and ends a wait and a batch that are under way. Closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#batch?.[Symbol.dispose]();
    if (this.#resources.disposed) return;
    this.#reader.stop();
    if (!this.#reading) this.#resources.dispose();
  }

  /** As {@linkcode RingBuffer.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Begins to read; `false` when it is closed. */
  #begin(): boolean {
    if (this.#closed) return false;
    if (this.#reading) throw new Error(`ring buffer "${this.name}" is being drained already`);
    this.#reading = true;
    return true;
  }

  /** Closed by its own handler: the memory could not go while it was being read. */
  #end(): void {
    this.#reading = false;
    if (!this.#closed || this.#resources.disposed) return;
    this.#reader.stop();
    this.#resources.dispose();
  }
}

/**
 * A user ring buffer map (`BPF_MAP_TYPE_USER_RINGBUF`, 6.1): records that are sent to programs.
 *
 * @module
 */
import type { Codec, Value } from "../../lib/btf/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfMapType } from "../../lib/uapi/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import * as sys from "../sys/mod.ts";
import { mapRing } from "./ring_memory.ts";
import { UserRing } from "./user_ring.ts";

/** So long a producer waits between two looks for room, in ms: at first, and at last. */
const LOOK_MS = { first: 1, last: 16 } as const;

/**
 * The producer's side of a user ring buffer. A program takes its records when it runs, by bpf_user_ringbuf_drain, in the
 * order in which they were reserved.
 *
 * There must be only one producer, in all processes.
 *
 * @example
 * ```ts
 * import { type BpfMap, UserRingBuffer } from "@debpf/debpf";
 *
 * function send(map: BpfMap, pid: number): boolean {
 *   using ring = new UserRingBuffer(map);
 *   const record = ring.reserve(8);
 *   if (record === undefined) return false;
 *   record.setUint32(0, pid, true);
 *   ring.submit(record);
 *   return true;
 * }
 * ```
 */
export class UserRingBuffer implements Disposable {
  /** Name of the map. */
  readonly name: string;
  readonly #ring: UserRing;
  readonly #open = new Set<DataView>();
  readonly #resources: DisposableStack;
  #ended = Promise.withResolvers<void>();

  /**
   * Maps the memory of `map`, which may be closed afterwards.
   *
   * @throws {UnsupportedError} if `map` is no user ring buffer.
   * @throws {SyscallError} if its memory cannot be mapped.
   */
  constructor(map: BpfMap) {
    if (map.spec.type !== BpfMapType.BPF_MAP_TYPE_USER_RINGBUF) {
      throw new UnsupportedError(
        "sending records",
        `map "${map.name}" is not a user ring buffer (BPF_MAP_TYPE_USER_RINGBUF)`,
      );
    }
    using cleanup = new DisposableStack();
    const { maxEntries } = sys.mapInfo(map.fd);
    this.name = map.name;
    const { consumer, rest, dataOffset } = mapRing(map.fd, maxEntries, "producer", cleanup);
    this.#ring = new UserRing({ consumer: consumer.buffer, producer: rest.buffer, dataOffset });
    this.#resources = cleanup.move();
  }

  /** Size of the data in bytes. */
  get sizeBytes(): number {
    return this.#ring.sizeBytes;
  }

  /** Bytes of records, with headers, that no program has taken yet. */
  get usedBytes(): number {
    return this.closed ? 0 : this.#ring.usedBytes;
  }

  /** Is it closed. */
  get closed(): boolean {
    return this.#resources.disposed;
  }

  /**
   * Reserves a record of `length` bytes in the ring's own memory: to be filled, and to be submitted or discarded, since a
   * program that comes to it takes nothing behind it before that.
   *
   * @returns The record, of any content; `undefined` if there is no room now: see {@linkcode UserRingBuffer.writable}.
   * @throws {RangeError} if it could never fit.
   * @throws {TypeError} when it is closed.
   */
  reserve(length: number): DataView | undefined {
    this.#checkOpen();
    this.#checkLength(length);
    const record = this.#ring.reserve(length);
    if (record !== undefined) this.#open.add(record);
    return record;
  }

  /**
   * Gives a record to the program. What is written to it later the program may see or not.
   *
   * @throws {TypeError} if it is none that {@linkcode UserRingBuffer.reserve} gave, or was ended before.
   */
  submit(record: DataView): void {
    this.#end(record, false);
  }

  /**
   * Has the program skip a record.
   *
   * @throws {TypeError} if it is none that {@linkcode UserRingBuffer.reserve} gave, or was ended before.
   */
  discard(record: DataView): void {
    this.#end(record, true);
  }

  /** Sends a record of these bytes; `false` if there is no room now. */
  write(bytes: Uint8Array): boolean {
    const record = this.reserve(bytes.length);
    if (record === undefined) return false;
    new Uint8Array(record.buffer, record.byteOffset, bytes.length).set(bytes);
    this.submit(record);
    return true;
  }

  /**
   * Sends a value as a record of its type; `false` if there is no room now.
   *
   * @param value The value.
   * @param codec Of its type: `compileCodec(type, ...)`.
   * @throws {TypeError} if it does not fit its type; nothing is sent then.
   */
  send(value: Value, codec: Codec): boolean {
    const record = this.reserve(codec.size);
    if (record === undefined) return false;
    try {
      codec.encode(value, record, 0);
    } catch (error) {
      this.discard(record);
      throw error;
    }
    this.submit(record);
    return true;
  }

  /**
   * Resolves when there is room for a record of `length` bytes, or when it is closed. Does not block the event loop.
   *
   * @throws {RangeError} if it could never fit.
   */
  async writable(length: number): Promise<void> {
    this.#checkLength(length);
    // To poll(2) a ring is writable if it has any room, so waiting for more by epoll would spin.
    for (let ms: number = LOOK_MS.first; !this.closed; ms = Math.min(ms * 2, LOOK_MS.last)) {
      if (this.sizeBytes - this.usedBytes >= UserRing.recordBytes(length)) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      await Promise.race([promise, this.#ended.promise]);
      clearTimeout(timer);
    }
  }

  /** Unmaps the memory. Records that were not ended are discarded. Closing again does nothing. */
  close(): void {
    if (this.closed) return;
    for (const record of this.#open) this.discard(record);
    this.#resources.dispose();
    this.#ended.resolve();
  }

  /** As {@linkcode UserRingBuffer.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #end(record: DataView, discard: boolean): void {
    this.#checkOpen();
    if (!this.#open.delete(record)) {
      throw new TypeError(`user ring buffer "${this.name}": that record is not reserved, or was ended before`);
    }
    this.#ring.end(record, discard);
  }

  #checkOpen(): void {
    if (this.closed) throw new TypeError(`user ring buffer "${this.name}" is closed`);
  }

  #checkLength(length: number): void {
    if (Number.isInteger(length) && length >= 0 && UserRing.recordBytes(length) <= this.sizeBytes) return;
    throw new RangeError(
      `user ring buffer "${this.name}": a record of ${length} bytes does not fit ${this.sizeBytes} bytes`,
    );
  }
}

/**
 * A ring buffer map (`BPF_MAP_TYPE_RINGBUF`, 5.8) as something to read from.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import * as sys from "../sys/mod.ts";
import { type RecordHandler, RingReader } from "./ring.ts";
import { Readiness } from "./waiter.ts";

/** How long to leave a producer alone that is in the middle of a record. */
const BUSY_MS = 1;

/** Ids of the maps that are being read: two readers that know nothing of each other would read overwritten memory. */
const BEING_READ = new Set<number>();

/** The mapped memory of a ring buffer map. It keeps what it needs of the map: the map may be closed before it. */
export class RingBuffer implements Disposable {
  /** Name of the map. */
  readonly name: string;
  /** Size of the data in bytes. */
  readonly sizeBytes: number;
  readonly #resources: DisposableStack;
  readonly #reader: RingReader;
  readonly #readiness: Readiness;
  #reading = false;
  #closed = false;

  /**
   * Maps the memory of `map`.
   *
   * @throws {UnsupportedError} if `map` is no ring buffer, or one in overwrite mode.
   * @throws {Error} if there is a reader already: a ring has one position that all would share.
   * @throws {SyscallError} if its memory cannot be mapped.
   */
  constructor(map: BpfMap) {
    if (map.spec.type !== BpfMapType.BPF_MAP_TYPE_RINGBUF) {
      throw new UnsupportedError("reading events", `map "${map.name}" is not a ring buffer (BPF_MAP_TYPE_RINGBUF)`);
    }
    const { id, maxEntries, mapFlags } = sys.mapInfo(map.fd);
    if ((mapFlags & BpfMapFlag.BPF_F_RB_OVERWRITE) !== 0) {
      throw new UnsupportedError(
        "ring buffers in overwrite mode",
        `map "${map.name}" has BPF_F_RB_OVERWRITE: reading what its program may overwrite meanwhile is not supported`,
      );
    }
    if (BEING_READ.has(id)) throw new Error(`ring buffer "${map.name}" is being read already: close its other stream`);
    using cleanup = new DisposableStack();
    BEING_READ.add(id);
    cleanup.defer(() => BEING_READ.delete(id));
    const page = sys.pageSize();
    this.name = map.name;
    this.sizeBytes = maxEntries;
    const fd = cleanup.use(sys.duplicateFd(map.fd)).value;
    const consumer = cleanup.use(sys.mapMemory({ fd, length: page, offset: 0, writable: true }));
    // One mapping of the producer's page and both copies of the data: read only, as the kernel demands.
    const rest = cleanup.use(sys.mapMemory({ fd, length: page + 2 * this.sizeBytes, offset: page, writable: false }));
    this.#reader = new RingReader({
      consumer: consumer.buffer,
      producer: rest.buffer,
      data: rest.buffer,
      dataOffset: page,
    }, { ordered: Deno.build.arch === "x86_64" });
    this.#readiness = cleanup.use(new Readiness(fd));
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
    return this.#read(() => this.#reader.drain(handler, limit)) ?? 0;
  }

  /**
   * Hands one finished record to `handler`, if there is one. Its space is given back later, with that of others, at the
   * latest when there is no other record or the ring buffer is closed.
   *
   * @returns Was there one.
   */
  next(handler: RecordHandler): boolean {
    return this.#read(() => this.#reader.next(handler)) ?? false;
  }

  /** Is it closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when there may be a record, or when the ring buffer is closed. Does not block the event loop. */
  async readable(): Promise<void> {
    if (this.#closed) return;
    // To the kernel a record that is reserved and not submitted is something to read: polling would spin until it is.
    if (this.#reader.busy) await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    else await this.#readiness.readable();
  }

  /** Unmaps the memory and ends a wait that is under way. Closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.stop();
    if (!this.#reading) this.#resources.dispose();
  }

  /** As {@linkcode RingBuffer.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #read<T>(read: () => T): T | undefined {
    if (this.#closed) return undefined;
    if (this.#reading) throw new Error(`ring buffer "${this.name}" is being drained already`);
    this.#reading = true;
    try {
      return read();
    } finally {
      this.#reading = false;
      // Closed by its own handler: the memory could not go while it was being read.
      if (this.#closed) {
        this.#reader.stop();
        this.#resources.dispose();
      }
    }
  }
}

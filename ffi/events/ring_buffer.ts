/**
 * A ring buffer map (`BPF_MAP_TYPE_RINGBUF`, 5.8) as something to read from.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfMapType } from "../../lib/uapi/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import * as sys from "../sys/mod.ts";
import { type RecordHandler, RingReader } from "./ring.ts";
import { Readiness } from "./waiter.ts";

/** How long to leave a producer alone that is in the middle of a record. */
const BUSY_MS = 1;

/** The mapped memory of a ring buffer map. It keeps what it needs of the map: the map may be closed before it. */
export class RingBuffer implements Disposable {
  /** Name of the map. */
  readonly name: string;
  /** Size of the data in bytes. */
  readonly sizeBytes: number;
  readonly #resources: DisposableStack;
  readonly #reader: RingReader;
  readonly #readiness: Readiness;
  #draining = false;
  #closed = false;

  /**
   * Maps the memory of `map`. Only one reader may read a ring: positions are shared by all.
   *
   * @throws {UnsupportedError} if `map` is no ring buffer.
   */
  constructor(map: BpfMap) {
    if (map.spec.type !== BpfMapType.BPF_MAP_TYPE_RINGBUF) {
      throw new UnsupportedError("reading events", `map "${map.name}" is not a ring buffer (BPF_MAP_TYPE_RINGBUF)`);
    }
    using cleanup = new DisposableStack();
    const page = sys.pageSize();
    this.name = map.name;
    this.sizeBytes = sys.mapInfo(map.fd).maxEntries;
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
   * Hands the finished records to `handler`, which gets the ring's own memory: it is valid until `handler` returns.
   *
   * @param limit How many at most.
   * @returns How many there were.
   */
  drain(handler: RecordHandler, limit: number = Infinity): number {
    if (this.#closed) return 0;
    if (this.#draining) throw new Error(`ring buffer "${this.name}" is being drained already`);
    this.#draining = true;
    try {
      return this.#reader.drain(handler, limit);
    } finally {
      this.#draining = false;
      // Closed by its own handler: the memory could not go while it was being read.
      if (this.#closed) this.#resources.dispose();
    }
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
    if (!this.#draining) this.#resources.dispose();
  }

  /** As {@linkcode RingBuffer.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

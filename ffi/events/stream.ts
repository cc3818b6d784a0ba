/**
 * Events as an async iterable.
 *
 * @module
 */
import type { RingBuffer } from "./ring_buffer.ts";

/** Makes a value of a record; what it returns must not refer to the record's memory. */
export type RecordDecoder<T> = (view: DataView, offset: number, length: number) => T;

/** What an {@linkcode EventStream} may be told. */
export interface StreamOptions {
  /** How many events are decoded ahead of their reader; the others stay in the ring. 4096 by default. */
  readonly batch?: number | undefined;
  /** Closes the stream when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The events of a ring buffer. Reading it by `for await` gives the events in order and ends when the stream is closed;
 * leaving the loop closes it. A slow reader leaves events in the ring: when that is full, the program cannot reserve
 * space, which only the program can count.
 */
export class EventStream<T> implements AsyncIterable<T>, Disposable {
  readonly #ring: RingBuffer;
  readonly #decode: RecordDecoder<T>;
  readonly #batch: number;
  readonly #abort: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;

  /**
   * Takes over a ring buffer.
   *
   * @param ring What to read; it is closed with the stream.
   * @param decode Makes an event of a record.
   * @param options Batch size, abort signal.
   */
  constructor(ring: RingBuffer, decode: RecordDecoder<T>, options: StreamOptions = {}) {
    this.#ring = ring;
    this.#decode = decode;
    this.#batch = options.batch ?? 4096;
    this.#signal = options.signal;
    if (options.signal === undefined) return;
    this.#abort = () => this.close();
    options.signal.addEventListener("abort", this.#abort);
    if (options.signal.aborted) this.close();
  }

  /** Name of the map. */
  get name(): string {
    return this.#ring.name;
  }

  /** The events, as they come. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      while (!this.#ring.closed) {
        const batch = this.take();
        if (batch.length === 0) await this.#ring.readable();
        else yield* batch;
      }
    } finally {
      this.close();
    }
  }

  /** The events that are there now, at most one batch; does not wait. */
  take(): T[] {
    const events: T[] = [];
    const decode = this.#decode;
    this.#ring.drain((view, offset, length) => {
      events.push(decode(view, offset, length));
    }, this.#batch);
    return events;
  }

  /** Resolves when there may be events to take, or when the stream is closed. */
  readable(): Promise<void> {
    return this.#ring.readable();
  }

  /** Is it closed. */
  get closed(): boolean {
    return this.#ring.closed;
  }

  /** Ends the stream and everything that waits for it. Closing again does nothing. */
  close(): void {
    if (this.#abort !== undefined) this.#signal?.removeEventListener("abort", this.#abort);
    this.#ring.close();
  }

  /** As {@linkcode EventStream.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

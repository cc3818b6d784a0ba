/**
 * Events as an async iterable.
 *
 * @module
 */
import type { RecordHandler } from "./ring.ts";
import type { RingBuffer } from "./ring_buffer.ts";

/** Makes a value of a record; what it returns must not refer to the record's memory. */
export type RecordDecoder<T> = (view: DataView, offset: number, length: number) => T;

/** What an {@linkcode EventStream} may be told. */
export interface StreamOptions {
  /** How many events {@linkcode EventStream.take} gives at most; the others stay in the ring. 4096 by default. */
  readonly batch?: number | undefined;
  /** Closes the stream when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_BATCH = 4096;
/** While events flow, timers and signals get their turn after this time, looked at after so many events. */
const TURN_MS = 10;
const EVENTS_PER_LOOK = 64;

/**
 * The events of a ring buffer. Reading it by `for await` gives the events in order and ends when the stream is closed;
 * leaving the loop closes it, and leaves what was not read to the next stream. A slow reader leaves events in the ring:
 * when that is full, the program cannot reserve space, which only the program can count.
 */
export class EventStream<T> implements AsyncIterable<T>, Disposable {
  readonly #ring: RingBuffer;
  readonly #decode: RecordDecoder<T>;
  readonly #batch: number;
  readonly #abort: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  /** The error of a record in the middle of a batch: thrown after the events before it. */
  #failure: { readonly error: unknown } | undefined;

  /**
   * Takes over a ring buffer.
   *
   * @param ring What to read; it is closed with the stream, also if this throws.
   * @param decode Makes an event of a record.
   * @param options Batch size, abort signal.
   * @throws {RangeError} if the batch size is no positive integer.
   */
  constructor(ring: RingBuffer, decode: RecordDecoder<T>, options: StreamOptions = {}) {
    const { batch = DEFAULT_BATCH, signal } = options;
    this.#ring = ring;
    this.#decode = decode;
    this.#batch = batch;
    if (!Number.isInteger(batch) || batch < 1) {
      ring.close();
      throw new RangeError(`batch: ${batch} is no positive number of events`);
    }
    this.#signal = signal;
    if (signal === undefined) return;
    this.#abort = () => this.close();
    signal.addEventListener("abort", this.#abort);
    if (signal.aborted) this.close();
  }

  /** Name of the map. */
  get name(): string {
    return this.#ring.name;
  }

  /**
   * The events, as they come. Several iterators share them. `next` fails with what the decoder throws, or the kernel;
   * the stream is closed then.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, void, undefined> {
    return new EventIterator(this, this.#ring, this.#decode);
  }

  /**
   * The events that are there now, at most one batch; does not wait.
   *
   * @throws {Error} what the decoder throws, after the events before that record.
   */
  take(): T[] {
    const failure = this.#failure;
    if (failure !== undefined) {
      this.#failure = undefined;
      throw failure.error;
    }
    const events: T[] = [];
    const decode = this.#decode;
    try {
      this.#ring.drain((view, offset, length) => {
        events.push(decode(view, offset, length));
      }, this.#batch);
    } catch (error) {
      if (events.length === 0) throw error;
      this.#failure = { error };
    }
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

/**
 * Reads record by record, so that whoever leaves the loop leaves the rest in the ring. No generator: its `return` would
 * wait for a `next` that is under way, and so would `ReadableStream.cancel` until the next event.
 */
class EventIterator<T> implements AsyncIterableIterator<T, void, undefined> {
  readonly #stream: EventStream<T>;
  readonly #ring: RingBuffer;
  readonly #keep: RecordHandler;
  #event: T | undefined;
  #untilLook = EVENTS_PER_LOOK;
  #turnBegan = performance.now();
  /** The last `next` that has to wait: those behind it get later events. */
  #pending: Promise<unknown> | undefined;

  constructor(stream: EventStream<T>, ring: RingBuffer, decode: RecordDecoder<T>) {
    this.#stream = stream;
    this.#ring = ring;
    this.#keep = (view, offset, length) => {
      this.#event = decode(view, offset, length);
    };
  }

  next(): Promise<IteratorResult<T, void>> {
    try {
      if (this.#pending === undefined && --this.#untilLook > 0 && this.#ring.next(this.#keep)) {
        return Promise.resolve({ done: false, value: this.#event as T });
      }
    } catch (error) {
      this.#stream.close();
      return Promise.reject(error);
    }
    const wait = () => this.#wait();
    const waiting = this.#pending === undefined ? wait() : this.#pending.then(wait, wait);
    this.#pending = waiting;
    const done = () => {
      if (this.#pending === waiting) this.#pending = undefined;
    };
    waiting.then(done, done);
    return waiting;
  }

  return(): Promise<IteratorResult<T, void>> {
    this.#stream.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #wait(): Promise<IteratorResult<T, void>> {
    try {
      if (this.#untilLook <= 0) await this.#giveTurn();
      while (!this.#ring.closed) {
        if (this.#ring.next(this.#keep)) return { done: false, value: this.#event as T };
        await this.#ring.readable();
        this.#turnBegan = performance.now();
      }
      return { done: true, value: undefined };
    } catch (error) {
      this.#stream.close();
      throw error;
    }
  }

  /** Promises alone never let the event loop go on to timers and signals: waiting for the kernel does. */
  async #giveTurn(): Promise<void> {
    this.#untilLook = EVENTS_PER_LOOK;
    if (performance.now() - this.#turnBegan < TURN_MS) return;
    await this.#ring.readable();
    this.#turnBegan = performance.now();
  }
}

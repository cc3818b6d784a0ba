/**
 * Events as an async iterable.
 *
 * @module
 */
import { EventIterator } from "./event_iterator.ts";
import { EventQueue, type RecordDecoder } from "./event_queue.ts";
import { jsonLine } from "./json_line.ts";
import { describeLosses, type EventLosses, totalLost } from "./losses.ts";
import type { RecordSource } from "./record_source.ts";

export type { RecordDecoder };

/** What an {@linkcode EventStream} may be told. */
export interface StreamOptions {
  /** How many events {@linkcode EventStream.take} gives at most; the others stay where they are. 4096 by default. */
  readonly batch?: number | undefined;
  /** Closes the stream when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What becomes of events whose reader is slower than they come. `"drop"`, the default: before the ring is full they are
   * taken into a queue, and when that is full they are dropped and counted. `"block"`: they stay in the ring, and when that
   * is full the program cannot send any, which only the program can count.
   */
  readonly backpressure?: "drop" | "block" | undefined;
  /** How many events the queue holds, for `"drop"`; 65,536 by default. */
  readonly queue?: number | undefined;
  /** Gives how many events the program says that it could not send, since the stream was opened. */
  readonly programLost?: (() => number) | undefined;
}

const DEFAULT_BATCH = 4096;
const DEFAULT_QUEUE = 65_536;

/**
 * The events of a ring buffer or perf buffer. Reading it by `for await` gives the events in order and ends when the stream
 * is closed; leaving the loop closes it, and leaves what was not read to the next stream.
 */
export class EventStream<T> implements AsyncIterable<T>, Disposable {
  readonly #source: RecordSource;
  readonly #queue: EventQueue<T>;
  readonly #batch: number;
  readonly #abort: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  #programLost: () => number;

  /**
   * Takes over a source.
   *
   * @param source What to read; it is closed with the stream, also if this throws.
   * @param decode Makes an event of a record.
   * @param options Batch size, what a slow reader means, abort signal.
   * @throws {RangeError} if the size of batch or queue is no positive integer.
   */
  constructor(source: RecordSource, decode: RecordDecoder<T>, options: StreamOptions = {}) {
    const { batch = DEFAULT_BATCH, queue = DEFAULT_QUEUE, backpressure = "drop", signal } = options;
    for (const [name, value] of Object.entries({ batch, queue })) {
      if (Number.isInteger(value) && value > 0) continue;
      source.close();
      throw new RangeError(`${name}: ${value} is no positive number of events`);
    }
    this.#source = source;
    this.#queue = new EventQueue(source, decode, { limit: backpressure === "block" ? 0 : queue });
    this.#batch = batch;
    this.#programLost = options.programLost ?? (() => 0);
    this.#signal = signal;
    if (signal === undefined) return;
    this.#abort = () => this.close();
    signal.addEventListener("abort", this.#abort);
    if (signal.aborted) this.close();
  }

  /** Name of the map. */
  get name(): string {
    return this.#source.name;
  }

  /** How many events were lost since the stream was opened, as far as anybody counts them. */
  get lost(): number {
    return totalLost(this.losses);
  }

  /** How many events were lost, by who noticed. */
  get losses(): EventLosses {
    return { program: this.#programLost(), kernel: this.#source.lost, queue: this.#queue.dropped };
  }

  /** What is to be said about lost events: a sentence for each reason, with what to do; none where none were lost. */
  describeLosses(): string[] {
    const { name: map, sizeBytes, perCpu } = this.#source;
    return describeLosses(this.losses, { map, sizeBytes, perCpu, queue: this.#queue.limit });
  }

  /**
   * The events, as they come. Several iterators share them. `next` fails with what the decoder throws, or the kernel;
   * the stream is closed then.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, void, undefined> {
    return new EventIterator(this.#queue, () => this.close());
  }

  /**
   * The events that are there now, at most one batch; does not wait.
   *
   * @throws {Error} what the decoder throws, after the events before that record.
   */
  take(): T[] {
    return this.#queue.take(this.#batch);
  }

  /** Resolves when there may be events to take, or when the stream is closed. */
  readable(): Promise<void> {
    return this.#queue.readable();
  }

  /** The events as a stream of the web platform; cancelling it closes this. */
  toReadableStream(): ReadableStream<T> {
    return ReadableStream.from(this);
  }

  /**
   * The events as lines of JSON (UTF-8), a batch in a chunk: to be piped to a file, or to be the body of an HTTP response.
   * 64-bit numbers are exact digits, bytes arrays of numbers.
   *
   * @example
   * ```ts
   * import type { Collection } from "@debpf/debpf";
   *
   * function serve(collection: Collection): void {
   *   Deno.serve(({ signal }) => new Response(collection.events("events", { signal }).toJsonLines()));
   * }
   * ```
   */
  toJsonLines(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const encoder = new TextEncoder();
    let cancelled = false;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        try {
          while (!this.closed) {
            const events = this.take();
            if (events.length > 0) return controller.enqueue(encoder.encode(events.map(jsonLine).join("")));
            await this.readable();
          }
        } catch (error) {
          this.close();
          throw error;
        }
        if (!cancelled) controller.close();
      },
      cancel: () => {
        cancelled = true;
        this.close();
      },
    });
  }

  /** Is it closed. */
  get closed(): boolean {
    return this.#source.closed;
  }

  /** Ends the stream and everything that waits for it. Closing again does nothing. */
  close(): void {
    if (this.closed) return;
    if (this.#abort !== undefined) this.#signal?.removeEventListener("abort", this.#abort);
    // The program's counter may go before whoever asks for it.
    const programLost = this.#programLost();
    this.#programLost = () => programLost;
    this.#queue.close();
  }

  /** As {@linkcode EventStream.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

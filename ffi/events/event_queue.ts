/**
 * What stands between a source of records and the reader of a stream: nothing, while the reader keeps up.
 *
 * The ring is the first queue, and whoever leaves a stream leaves the rest there. Only when a reader stays away so long
 * that the ring becomes half full, its events are taken into memory, as many as the queue may hold; the others are
 * dropped and counted. Without that the program could not reserve space, and few programs count it.
 *
 * @module
 */
import type { RecordSource } from "./record_source.ts";
import type { RecordHandler } from "./ring.ts";

/** Makes a value of a record; what it returns must not refer to the record's memory. */
export type RecordDecoder<T> = (view: DataView, offset: number, length: number) => T;

/** How events are kept for a reader that stays away. */
export interface QueueOptions {
  /** How many events at most; 0: all stay in the ring. */
  readonly limit: number;
}

/**
 * So often the ring of a reader that stays away is looked at, in ms: when it is half full, when something has come, and, at
 * last, when nothing comes.
 */
const LOOK_MS = { full: 1, filling: 10, calm: 80 } as const;

/** The events of a source, in order. */
export class EventQueue<T> {
  readonly source: RecordSource;
  readonly #decode: RecordDecoder<T>;
  readonly #limit: number;
  readonly #keep: RecordHandler;
  readonly #store: RecordHandler;
  /** Events that were taken out of the ring, from `#head` on. */
  #events: T[] = [];
  #head = 0;
  /** What the last `next()` found. */
  #event: T | undefined;
  /** The error of a record: to be thrown after the events before it. */
  #failure: { readonly error: unknown } | undefined;
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting = 0;
  #lookMs: number = LOOK_MS.filling;
  #usedBytes = 0;

  constructor(source: RecordSource, decode: RecordDecoder<T>, options: QueueOptions) {
    this.source = source;
    this.#decode = decode;
    this.#limit = options.limit;
    this.#keep = (view, offset, length) => {
      this.#event = decode(view, offset, length);
    };
    this.#store = (view, offset, length) => {
      if (this.#events.length - this.#head >= this.#limit) this.#dropped++;
      else this.#events.push(decode(view, offset, length));
    };
  }

  /** How many events were dropped because the queue was full, or because the stream was closed before they were read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many events it may hold. */
  get limit(): number {
    return this.#limit;
  }

  /** Is there another event: if so, {@linkcode EventQueue.event}. Throws what the decoder throws. */
  next(): boolean {
    if (this.#timer === undefined) this.#lookLater(LOOK_MS.filling);
    if (this.#head < this.#events.length) {
      this.#event = this.#events[this.#head++];
      if (this.#head === this.#events.length) this.#empty();
      return true;
    }
    if (this.#failure !== undefined) this.#fail();
    return this.source.next(this.#keep);
  }

  /** The event that the last `next()` found. */
  get event(): T {
    return this.#event as T;
  }

  /** The events that are there, at most `most`. Throws what the decoder throws, after the events before that record. */
  take(most: number): T[] {
    if (this.#timer === undefined) this.#lookLater(LOOK_MS.filling);
    const events = this.#events.slice(this.#head, this.#head + most);
    this.#head += events.length;
    if (this.#head === this.#events.length) this.#empty();
    if (events.length === most) return events;
    if (this.#failure !== undefined && events.length === 0) this.#fail();
    if (this.#failure !== undefined) return events;
    const decode = this.#decode;
    try {
      this.source.drain((view, offset, length) => {
        events.push(decode(view, offset, length));
      }, most - events.length);
    } catch (error) {
      if (events.length === 0) throw error;
      this.#failure = { error };
    }
    return events;
  }

  /** Resolves when there may be events, or when the source is closed. */
  async readable(): Promise<void> {
    if (this.#head < this.#events.length || this.#failure !== undefined) return;
    this.#waiting++;
    try {
      await this.source.readable();
    } finally {
      this.#waiting--;
    }
  }

  /** Closes the source. Events that were taken out of the ring and not read are lost. */
  close(): void {
    clearTimeout(this.#timer);
    this.#dropped += this.#events.length - this.#head;
    this.#empty();
    this.#failure = undefined;
    this.source.close();
  }

  #empty(): void {
    this.#events = [];
    this.#head = 0;
  }

  #fail(): never {
    const { error } = this.#failure!;
    this.#failure = undefined;
    throw error;
  }

  #lookLater(ms: number): void {
    if (this.#limit === 0 || this.source.closed) return;
    this.#timer = setTimeout(() => this.#look(), ms);
    // Whether the program lives on is the reader's affair.
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Makes room in a ring whose reader is busy with something else. */
  #look(): void {
    this.#timer = undefined;
    const { source } = this;
    // Who waits for events has read all that there were; the next one to come starts the timer again.
    if (source.closed || this.#waiting > 0) return;
    const used = source.usedBytes;
    const full = used > source.sizeBytes / 2;
    if (full && this.#failure === undefined) {
      try {
        source.drain(this.#store);
      } catch (error) {
        this.#failure = { error };
      }
    }
    if (full) this.#lookMs = LOOK_MS.full;
    else if (used !== this.#usedBytes) this.#lookMs = LOOK_MS.filling;
    else this.#lookMs = Math.min(this.#lookMs * 2, LOOK_MS.calm);
    this.#usedBytes = used;
    this.#lookLater(this.#lookMs);
  }
}

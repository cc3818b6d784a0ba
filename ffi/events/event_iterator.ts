/**
 * Reading a stream's events one by one.
 *
 * @module
 */
import type { EventQueue } from "./event_queue.ts";

/** While events flow, timers and signals get their turn after this time, looked at after so many events. */
const TURN_MS = 10;
const EVENTS_PER_LOOK = 64;

/**
 * Reads record by record, so that whoever leaves the loop leaves the rest in the ring. No generator: its `return` would
 * wait for a `next` that is under way, and so would `ReadableStream.cancel` until the next event.
 */
export class EventIterator<T> implements AsyncIterableIterator<T, void, undefined> {
  readonly #queue: EventQueue<T>;
  readonly #close: () => void;
  #untilLook = EVENTS_PER_LOOK;
  #turnBegan = performance.now();
  /** The last `next` that has to wait: those behind it get later events. */
  #pending: Promise<unknown> | undefined;

  constructor(queue: EventQueue<T>, close: () => void) {
    this.#queue = queue;
    this.#close = close;
  }

  next(): Promise<IteratorResult<T, void>> {
    try {
      if (this.#pending === undefined && --this.#untilLook > 0 && this.#queue.next()) {
        return Promise.resolve({ done: false, value: this.#queue.event });
      }
    } catch (error) {
      this.#close();
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
    this.#close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #wait(): Promise<IteratorResult<T, void>> {
    try {
      if (this.#untilLook <= 0) await this.#giveTurn();
      while (!this.#queue.source.closed) {
        if (this.#queue.next()) return { done: false, value: this.#queue.event };
        await this.#queue.readable();
        this.#turnBegan = performance.now();
      }
      return { done: true, value: undefined };
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** Promises alone never let the event loop go on to timers and signals: what readable() waits for does. */
  async #giveTurn(): Promise<void> {
    this.#untilLook = EVENTS_PER_LOOK;
    if (performance.now() - this.#turnBegan < TURN_MS) return;
    await this.#queue.source.readable();
    this.#turnBegan = performance.now();
  }
}

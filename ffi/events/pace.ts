/**
 * How a reader that has caught up waits for more: seldom events by the kernel's wake-up, a flow of them by a timer.
 *
 * @module
 */
import type { Readiness } from "./waiter.ts";

/**
 * Above so many records a ms, a timer is better: a wake-up by epoll takes about 40 us, and 60 us of a CPU, whether it is
 * for one record or for a hundred; so above this rate it would take an eighth of a CPU, and the timer takes a hundredth.
 */
const FLOW_PER_MS = 2;
/** How often it is decided anew, at most. */
const WINDOW_MS = 4;
/** How long a flow of records is left alone: by then a ring of 256 KiB has room for 200 MB/s. */
const NAP_MS = 1;

/** Waits for the kernel or for a while, whichever suits the rate at which records come. */
export class Pace {
  readonly #readiness: Readiness;
  #records = 0;
  #since = performance.now();
  #flowing = false;

  /** @param readiness Waits for the kernel's wake-up. */
  constructor(readiness: Readiness) {
    this.#readiness = readiness;
  }

  /** To be told of records that were read. */
  note(records: number): void {
    this.#records += records;
  }

  /** Do records come so fast that they are waited for by a timer, without a system call. */
  get flowing(): boolean {
    return this.#flowing;
  }

  /** Resolves when there may be something to read. */
  wait(): Promise<void> {
    const now = performance.now();
    const elapsedMs = now - this.#since;
    if (elapsedMs >= WINDOW_MS) {
      this.#flowing = this.#records > elapsedMs * FLOW_PER_MS;
      this.#records = 0;
      this.#since = now;
    }
    return this.#flowing ? nap() : this.#readiness.readable();
  }
}

/** Leaves the event loop to others for a moment. */
export function nap(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, NAP_MS));
}

/** Lets timers, signals and whatever else is due have its turn, no longer than that takes. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/**
 * Telling of events that were lost: while they come, and at the end with what to do about it.
 *
 * @module
 */
import type { EventStream } from "../../ffi/events/mod.ts";
import type { Output } from "../output.ts";

/** To ask a perf buffer what it lost takes a system call for each CPU. */
const LOOK_MS = 1000;

/** Tells of the lost events of one stream. */
export class LossReport {
  readonly #stream: EventStream<unknown>;
  readonly #output: Output;
  #looked = performance.now();
  #told = 0;

  /**
   * @param stream Whose.
   * @param output Where to: with `-j` a line `{"map": ..., "lost": ...}` each time, else notes on stderr.
   */
  constructor(stream: EventStream<unknown>, output: Output) {
    this.#stream = stream;
    this.#output = output;
  }

  /** Tells how many there are, if there are more than the last time; once a second at most. */
  now(): void {
    const now = performance.now();
    if (now - this.#looked < LOOK_MS) return;
    this.#looked = now;
    const { lost, name } = this.#stream;
    if (lost === this.#told) return;
    this.#tell(lost, `debpf: ${lost} events of "${name}" lost so far`);
  }

  /** Tells how many there were in all, why, and what to do. */
  end(): void {
    const { lost } = this.#stream;
    for (const text of this.#stream.describeLosses()) this.#output.note(`debpf: ${text}`);
    if (this.#output.json && lost !== this.#told) this.#output.value({ map: this.#stream.name, lost });
  }

  #tell(lost: number, text: string): void {
    this.#told = lost;
    if (this.#output.json) this.#output.value({ map: this.#stream.name, lost });
    else this.#output.note(text);
    this.#output.flush();
  }
}

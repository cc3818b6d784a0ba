/**
 * Commands that go on until Ctrl-C.
 *
 * @module
 */

/** Is aborted by SIGINT and SIGTERM while it is not disposed of: whoever waits for it ends in order, with exit code 0. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #end = () => this.#controller.abort();

  constructor() {
    Deno.addSignalListener("SIGINT", this.#end);
    Deno.addSignalListener("SIGTERM", this.#end);
  }

  /** What the signals abort. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.#controller.abort();
    Deno.removeSignalListener("SIGINT", this.#end);
    Deno.removeSignalListener("SIGTERM", this.#end);
  }
}

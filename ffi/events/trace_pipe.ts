/**
 * The trace pipe of tracefs: what bpf_printk writes, of all programs of the machine.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";
import { type TraceLine, TraceParser } from "./trace_line.ts";
import { Readiness } from "./waiter.ts";

/** Where tracefs is mounted: the usual place, and the one of old. */
const TRACEFS = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] as const;
/** A pipe gives a page at a time. */
const CHUNK_BYTES = 4096;

/** What a {@linkcode TracePipe} may be told. */
export interface TracePipeOptions {
  /** Ends it when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The lines of the trace pipe, as they come. Whoever reads a line takes it from all other readers.
 *
 * @example
 * ```ts
 * import { TracePipe } from "@debpf/debpf";
 *
 * async function follow(): Promise<void> {
 *   using pipe = new TracePipe();
 *   for await (const { task, text } of pipe) console.log(task, text);
 * }
 * ```
 */
export class TracePipe implements AsyncIterable<TraceLine>, Disposable {
  readonly #fd: number;
  readonly #resources: DisposableStack;
  readonly #readiness: Readiness;
  readonly #parser = new TraceParser();
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.close();
  #closed = false;

  /**
   * Opens the pipe.
   *
   * @param options Abort signal.
   * @throws {Error} if tracefs is not mounted.
   * @throws {SyscallError} if it cannot be opened: code `EBUSY` if somebody else reads it.
   */
  constructor(options: TracePipeOptions = {}) {
    const root = TRACEFS.find((path) => sys.exists(`${path}/trace_pipe`));
    if (root === undefined) {
      throw new Error(`the trace pipe is in tracefs, which is not mounted: mount -t tracefs tracefs ${TRACEFS[0]}`);
    }
    using cleanup = new DisposableStack();
    const { O_RDONLY, O_NONBLOCK } = sys.OpenFlag;
    this.#fd = cleanup.use(sys.open(`${root}/trace_pipe`, O_RDONLY | O_NONBLOCK)).value;
    this.#readiness = cleanup.use(new Readiness(this.#fd));
    this.#resources = cleanup.move();
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#abort);
    if (this.#signal?.aborted) this.close();
  }

  /** How many events the kernel says were overwritten before anybody read them. */
  get lost(): number {
    return this.#parser.lost;
  }

  /** Is it closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The lines that are there now; does not wait.
   *
   * @throws {SyscallError} if it cannot be read.
   */
  take(): TraceLine[] {
    const lines: TraceLine[] = [];
    while (!this.#closed) {
      const length = sys.read(this.#fd, this.#buffer);
      if (length === undefined || length === 0) break;
      lines.push(...this.#parser.push(this.#decoder.decode(this.#buffer.subarray(0, length), { stream: true })));
    }
    return lines;
  }

  /** Resolves when there may be lines, or when it is closed. Does not block the event loop. */
  async readable(): Promise<void> {
    if (!this.#closed) await this.#readiness.readable();
  }

  /** The lines, as they come; leaving the loop closes the pipe. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TraceLine, void, undefined> {
    try {
      while (!this.#closed) {
        yield* this.take();
        await this.readable();
      }
    } finally {
      this.close();
    }
  }

  /** Closes it, and ends a wait that is under way. Closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#resources.dispose();
  }

  /** As {@linkcode TracePipe.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

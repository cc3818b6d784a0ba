/**
 * What programs print to their own stdout and stderr: bpf_stream_printk, and what the kernel has to say of a program that
 * it had to end (6.17).
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfStreamId } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";

/** Which stream. */
export type ProgramStreamName = "stdout" | "stderr";

const IDS = { stdout: BpfStreamId.BPF_STDOUT, stderr: BpfStreamId.BPF_STDERR } as const;
const CHUNK_BYTES = 4096;

/** What a {@linkcode ProgramStream} may be told. */
export interface ProgramStreamOptions {
  /** Ends it when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** How often it is looked at, in ms: the kernel wakes nobody. 100 by default. */
  readonly intervalMs?: number | undefined;
}

/**
 * One of a program's streams. Whoever reads takes it from all other readers.
 *
 * The program has to stay open meanwhile.
 */
export class ProgramStream implements AsyncIterable<string>, Disposable {
  /** Which one. */
  readonly stream: ProgramStreamName;
  readonly #program: BpfProgram;
  readonly #intervalMs: number;
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.close();
  #rest = "";
  #ended: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>();

  /**
   * Names a stream; nothing is opened.
   *
   * @param program The program.
   * @param stream Which.
   * @param options How often it is looked at, abort signal.
   */
  constructor(program: BpfProgram, stream: ProgramStreamName = "stdout", options: ProgramStreamOptions = {}) {
    this.stream = stream;
    this.#program = program;
    this.#intervalMs = options.intervalMs ?? 100;
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#abort);
    if (this.#signal?.aborted) this.close();
  }

  /**
   * The text that is there now; does not wait.
   *
   * @throws {UnsupportedError} before Linux 6.17.
   * @throws {SyscallError} if the kernel refuses it.
   */
  read(): string {
    let text = "";
    for (;;) {
      const length = this.#take();
      if (length === 0) return text;
      text += this.#decoder.decode(this.#buffer.subarray(0, length), { stream: true });
    }
  }

  /** Its lines, as they come; leaving the loop closes it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    try {
      while (this.#ended !== undefined) {
        const lines = (this.#rest + this.read()).split("\n");
        this.#rest = lines.pop()!;
        yield* lines;
        await this.#pause();
      }
    } finally {
      this.close();
    }
  }

  /** Ends loops over it. Closing again does nothing. */
  close(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#ended?.resolve();
    this.#ended = undefined;
  }

  /** As {@linkcode ProgramStream.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #take(): number {
    try {
      return sys.progStreamRead(this.#program.fd, IDS[this.stream], this.#buffer);
    } catch (error) {
      if (!(error instanceof sys.SyscallError) || error.code !== "EINVAL") throw error;
      throw new UnsupportedError("streams of programs", undefined, { since: "6.17", cause: error });
    }
  }

  async #pause(): Promise<void> {
    const ended = this.#ended;
    if (ended === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#intervalMs);
    await Promise.race([promise, ended.promise]);
    clearTimeout(timer);
  }
}

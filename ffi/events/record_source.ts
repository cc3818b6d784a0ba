/**
 * What streams of events read from: a ring buffer, or the rings of a perf event array.
 *
 * @module
 */
import type { RecordHandler } from "./ring.ts";

/** Records that programs send to user space, in the order in which they are to be read. */
export interface RecordSource extends Disposable {
  /** Name of the map. */
  readonly name: string;
  /** Size in bytes of what a program can fill before records are lost: of a perf buffer, for each CPU. */
  readonly sizeBytes: number;
  /** How much of `sizeBytes` is taken; of a perf buffer, on the CPU where it is most. */
  readonly usedBytes: number;
  /** Records that the kernel says it could not store, since the source was opened. */
  readonly lost: number;
  /** Is each CPU's buffer one of its own: what {@linkcode RecordSource.lost} is about. */
  readonly perCpu: boolean;
  /** Is it closed. */
  readonly closed: boolean;
  /**
   * Hands the records that are there to `handler`, at most `limit`: their memory is valid until `handler` returns.
   *
   * @returns How many there were.
   */
  drain(handler: RecordHandler, limit?: number): number;
  /** Hands one record to `handler`; `false` if there is none. */
  next(handler: RecordHandler): boolean;
  /** Resolves when there may be records, or when the source is closed. Does not block the event loop. */
  readable(): Promise<void>;
  /** Ends it; closing again does nothing. */
  close(): void;
}

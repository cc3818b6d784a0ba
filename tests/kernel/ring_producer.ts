/**
 * A Worker that has a program write numbered records (testdata/ring_truth.bpf.c) as fast as it can, on a thread of its own.
 *
 * @module
 */
import { progTestRun } from "../../ffi/sys/mod.ts";

/** What the Worker is to do. */
export interface ProducerTask {
  /** File descriptor of the program `produce`. */
  readonly programFd: number;
  /** Its number, which its records carry. */
  readonly producer: number;
  /** How many records to make. */
  readonly count: number;
  /** How many in one run. */
  readonly perRun: number;
}

/** What it answers at its end. */
export interface ProducerResult {
  /** How many did not fit. */
  readonly dropped: number;
  /** How many were discarded on purpose. */
  readonly discarded: number;
}

/** What this module uses of the scope of a Worker. */
interface WorkerScope {
  onmessage: ((message: MessageEvent<ProducerTask>) => void) | null;
  postMessage(result: ProducerResult): void;
  close(): void;
}

const scope = self as unknown as WorkerScope;

/** `struct produce_args`, in words. */
const ARGS = { producer: 0, count: 1, first: 2, dropped: 3, discarded: 4, size: 5 } as const;

/** A full ring: so long the reader gets to make room. */
const PAUSE_MS = 1;

scope.onmessage = ({ data: { programFd, producer, count, perRun } }) => {
  const never = new Int32Array(new SharedArrayBuffer(4));
  const result = { dropped: 0, discarded: 0 };
  for (let first = 0; first < count; first += perRun) {
    const args = new Uint32Array(ARGS.size);
    args[ARGS.producer] = producer;
    args[ARGS.count] = Math.min(perRun, count - first);
    args[ARGS.first] = first;
    const after = new Uint32Array(progTestRun(programFd, { ctx: new Uint8Array(args.buffer) }).ctx.buffer);
    const dropped = after[ARGS.dropped]!;
    result.dropped += dropped;
    result.discarded += after[ARGS.discarded]!;
    if (dropped > 0) Atomics.wait(never, 0, 0, PAUSE_MS);
  }
  scope.postMessage(result);
  scope.close();
};

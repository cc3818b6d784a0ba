/**
 * `BPF_PROG_TEST_RUN`.
 *
 * @module
 */
import { BpfCmd, BpfProgType } from "../../lib/uapi/mod.ts";
import { attr, bpf, TEST } from "./attr.ts";
import { Errno } from "./errno.ts";
import { bpfError } from "./fail.ts";
import { progInfo } from "./prog_info.ts";

/** What {@linkcode progTestRun} takes. */
export interface TestRunOptions {
  /** Packet data. */
  readonly data?: Uint8Array | undefined;
  /** Room for packet data afterwards, in bytes; by default 4096 more than `data` has. Counts only with `data`. */
  readonly dataSizeOut?: number | undefined;
  /** Context: `struct xdp_md`, `struct __sk_buff`, arguments of a raw tracepoint, what a `syscall` program takes. */
  readonly ctx?: Uint8Array | undefined;
  /** How many times in a row; once by default. Tracing and `syscall` programs run once only. */
  readonly repeat?: number | undefined;
  /** `BPF_F_TEST_RUN_ON_CPU`, `BPF_F_TEST_XDP_LIVE_FRAMES`. */
  readonly flags?: number | undefined;
  /** CPU that a raw tracepoint program runs on, with `BPF_F_TEST_RUN_ON_CPU`. */
  readonly cpu?: number | undefined;
  /** Frames per batch, with `BPF_F_TEST_XDP_LIVE_FRAMES`. */
  readonly batchSize?: number | undefined;
}

/** What a test run gave. */
export interface TestRunResult {
  /** The program's return value, 32 bits unsigned. */
  readonly returnValue: number;
  /** Packet data afterwards; empty without `data`. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Context afterwards; empty without `ctx`, and for programs whose context the kernel does not give back. */
  readonly ctx: Uint8Array<ArrayBuffer>;
  /** Mean duration of a run in ns; 0 for programs that the kernel does not measure (tracing, `syscall`). */
  readonly durationNs: number;
}

/** How the kernel gives the context back: not at all, in memory of its own, or where it read it (net/bpf/test_run.c). */
type ContextOut = "none" | "separate" | "shared";

function contextOut(type: BpfProgType): ContextOut {
  switch (type) {
    case BpfProgType.BPF_PROG_TYPE_SYSCALL:
      return "shared";
    case BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT:
    case BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
    case BpfProgType.BPF_PROG_TYPE_TRACING:
    case BpfProgType.BPF_PROG_TYPE_FLOW_DISSECTOR:
      return "none";
    default:
      return "separate";
  }
}

const EXTRA_DATA_BYTES = 4096;
const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/**
 * Runs a program with the given data and context (`BPF_PROG_TEST_RUN`, 4.12); nothing is attached.
 *
 * @throws {SyscallError} if the kernel refuses it: code `ENOTSUPP` or `EINVAL` if programs of this type cannot be run.
 */
export function progTestRun(progFd: number, options: TestRunOptions = {}): TestRunResult {
  const { data, ctx } = options;
  const out = ctx === undefined ? "none" : contextOut(progInfo(progFd).type);
  const dataOut = data === undefined ? NOTHING : new Uint8Array(options.dataSizeOut ?? data.length + EXTRA_DATA_BYTES);
  // A copy, since a `syscall` program's context is written where it was read.
  const ctxIn = ctx === undefined ? NOTHING : new Uint8Array(ctx);
  const ctxOut = out === "separate" ? new Uint8Array(ctxIn.length) : NOTHING;
  const { repeat, flags, cpu, batchSize } = options;
  const result = bpf(BpfCmd.BPF_PROG_TEST_RUN, TEST, {
    progFd,
    ...(data === undefined ? {} : { dataIn: data, dataSizeIn: data.length, dataOut, dataSizeOut: dataOut.length }),
    ctxIn,
    ctxSizeIn: ctxIn.length,
    ctxOut,
    ctxSizeOut: ctxOut.length,
    repeat,
    flags,
    cpu,
    batchSize,
  });
  if (result < 0) throw testRunError(result);
  const { retval, duration, dataSizeOut, ctxSizeOut } = attr().read(TEST);
  return {
    returnValue: retval,
    data: dataOut.subarray(0, dataSizeOut),
    ctx: out === "shared" ? ctxIn : ctxOut.subarray(0, ctxSizeOut),
    durationNs: duration,
  };
}

function testRunError(result: number): Error {
  const error = bpfError(BpfCmd.BPF_PROG_TEST_RUN, result);
  // Not tried again here: the program may have run, and have changed its maps.
  return result === -Errno.EINTR ? error.at("a signal came during the run, which may have happened or not") : error;
}

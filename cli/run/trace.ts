/**
 * What programs print, beside their events: bpf_printk's lines, and the programs' own streams.
 *
 * @module
 */
import type { Collection } from "../../ffi/collection/mod.ts";
import { ProgramStream, type ProgramStreamName, type TraceLine, TracePipe } from "../../ffi/events/mod.ts";
import type { BpfProgram } from "../../ffi/program/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import type { Output } from "../output.ts";

/** The event that bpf_printk makes (since Linux 5.9; before, lines of it have another name). */
const PRINTK = "bpf_trace_printk";

/** Prints trace lines and streams of the programs of `collection` until `ended` is aborted. */
export async function printTrace(collection: Collection, output: Output, ended: AbortController): Promise<void> {
  const { signal } = ended;
  const streams = [...collection.programs.values()].flatMap((program) =>
    (["stdout", "stderr"] as const).map((name) => printStream(program, name, output, signal))
  );
  try {
    await Promise.all([printTracePipe(output, signal), ...streams]);
  } catch (error) {
    ended.abort();
    throw error;
  }
}

/** Prints the lines of bpf_printk until `signal` is aborted. */
export async function printTracePipe(output: Output, signal: AbortSignal): Promise<void> {
  using pipe = new TracePipe({ signal });
  while (!pipe.closed) {
    for (const line of pipe.take()) {
      if (line.event !== PRINTK) continue;
      if (output.json) output.value({ trace: traceJson(line) });
      else output.line(traceText(line));
    }
    output.flush();
    await pipe.readable();
  }
  if (pipe.lost > 0) output.note(`debpf: ${pipe.lost} trace lines lost: they were not read fast enough`);
}

/** A line as trace_pipe shows it, without what is of no interest. */
export function traceText({ task, pid, cpu, timeSeconds, text }: TraceLine): string {
  return `${timeSeconds.toFixed(6)} [${String(cpu).padStart(3, "0")}] ${task}-${pid}: ${text}`;
}

/** A line as JSON. */
export function traceJson({ task, pid, tgid, cpu, flags, timeSeconds, text }: TraceLine): Record<string, unknown> {
  return { task, pid, ...(tgid === undefined ? {} : { tgid }), cpu, flags, time: timeSeconds, text };
}

async function printStream(
  program: BpfProgram,
  name: ProgramStreamName,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const line of new ProgramStream(program, name, { signal })) {
      if (output.json) output.value({ stream: name, program: program.name, text: line });
      else output.line(`${program.name} ${name}: ${line}`);
      output.flush();
    }
  } catch (error) {
    // Older kernels have none; there the trace pipe is all there is.
    if (!(error instanceof UnsupportedError)) throw error;
  }
}

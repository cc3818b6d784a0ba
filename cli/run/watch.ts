/**
 * Printing events until someone or something ends it.
 *
 * @module
 */
import type { Collection, TypedEvent } from "../../ffi/collection/mod.ts";
import type { EventStream } from "../../ffi/events/mod.ts";
import type { EventTypes } from "../../lib/spec/mod.ts";
import { BpfMapType } from "../../lib/uapi/mod.ts";
import type { Output } from "../output.ts";
import { EventColumns, type FieldFormats } from "./columns.ts";
import { LossReport } from "./loss_report.ts";
import { EventPrinter } from "./printer.ts";
import { printTrace } from "./trace.ts";

/** What ends the watch, and how events are shown. */
export interface WatchOptions {
  readonly output: Output;
  readonly formats: FieldFormats;
  /** End after so many events. */
  readonly count: number | undefined;
  /** End after so many seconds. */
  readonly durationSeconds: number | undefined;
  /** Also print what programs write with bpf_printk and to their streams. */
  readonly trace: boolean;
}

/** Names of the maps of `collection` that events come from. */
export function eventMaps(collection: Collection): string[] {
  const carriers: BpfMapType[] = [BpfMapType.BPF_MAP_TYPE_RINGBUF, BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY];
  return [...collection.maps.values()].filter(({ spec }) => carriers.includes(spec.type)).map(({ name }) => name);
}

/** Prints the events of all ring and perf buffers of `collection` until Ctrl-C, SIGTERM, the count or the duration. */
export async function watch(
  collection: Collection,
  choice: ReadonlyMap<string, EventTypes>,
  options: WatchOptions,
): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  Deno.addSignalListener("SIGINT", end);
  Deno.addSignalListener("SIGTERM", end);
  const timer = options.durationSeconds === undefined ? undefined : setTimeout(end, options.durationSeconds * 1000);
  try {
    const columns = new EventColumns(collection.spec.btf, options.formats);
    const printer = new EventPrinter(options.output, columns, options.count ?? Infinity, end);
    const maps = eventMaps(collection);
    const work = maps.map((map) => print(collection, map, choice.get(map), printer, ended, options.output));
    if (options.trace) work.push(printTrace(collection, options.output, ended));
    if (work.length === 0) await new Promise((resolve) => ended.signal.addEventListener("abort", resolve));
    await Promise.all(work);
  } finally {
    // A stream that failed must not leave the others waiting.
    end();
    clearTimeout(timer);
    Deno.removeSignalListener("SIGINT", end);
    Deno.removeSignalListener("SIGTERM", end);
  }
}

async function print(
  collection: Collection,
  map: string,
  types: EventTypes | undefined,
  printer: EventPrinter,
  ended: AbortController,
  output: Output,
): Promise<void> {
  using stream: EventStream<TypedEvent> = collection.typedEvents(map, { types, signal: ended.signal });
  const report = new LossReport(stream, output);
  try {
    while (!ended.signal.aborted) {
      const batch: TypedEvent[] = stream.take();
      for (const event of batch) printer.event(map, event);
      printer.flush();
      report.now();
      await stream.readable();
    }
    report.end();
  } catch (error) {
    ended.abort();
    throw error;
  }
}

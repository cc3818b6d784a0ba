/**
 * Printing events until someone or something ends it.
 *
 * @module
 */
import type { Collection, TypedEvent } from "../../ffi/collection/mod.ts";
import { BpfMapType } from "../../lib/uapi/mod.ts";
import type { EventTypes } from "../../lib/spec/mod.ts";
import type { Output } from "../output.ts";
import { EventColumns, type FieldFormats } from "./columns.ts";
import { EventPrinter } from "./printer.ts";

/** What ends the watch, and how events are shown. */
export interface WatchOptions {
  readonly output: Output;
  readonly formats: FieldFormats;
  /** End after so many events. */
  readonly count: number | undefined;
  /** End after so many seconds. */
  readonly durationSeconds: number | undefined;
}

/** Prints the events of all ring buffers of `collection` until Ctrl-C, SIGTERM, the count or the duration. */
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
    const rings = [...collection.maps.values()].filter((map) => map.spec.type === BpfMapType.BPF_MAP_TYPE_RINGBUF);
    if (rings.length === 0) await new Promise((resolve) => ended.signal.addEventListener("abort", resolve));
    await Promise.all(rings.map((map) => print(collection, map.name, choice.get(map.name), printer, ended)));
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
): Promise<void> {
  using stream = collection.typedEvents(map, { types, signal: ended.signal });
  try {
    while (!ended.signal.aborted) {
      const batch: TypedEvent[] = stream.take();
      for (const event of batch) printer.event(map, event);
      printer.flush();
      await stream.readable();
    }
  } catch (error) {
    ended.abort();
    throw error;
  }
}

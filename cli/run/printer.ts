/**
 * Events as rows of a table, or as JSON lines.
 *
 * @module
 */
import type { TypedEvent } from "../../ffi/collection/mod.ts";
import type { StructType } from "../../lib/btf/mod.ts";
import type { Output } from "../output.ts";
import { tableRow } from "../table.ts";
import { cellText, type EventColumn, type EventColumns } from "./columns.ts";

/** Prints events of several maps and types as they come. */
export class EventPrinter {
  readonly #output: Output;
  readonly #describe: EventColumns;
  readonly #limit: number;
  readonly #done: () => void;
  readonly #columns = new Map<StructType, EventColumn[]>();
  /** Map and type of the last row: a heading is printed when they change. */
  #heading = "";
  #printed = 0;

  /**
   * @param output Where to.
   * @param columns Makes the columns of a type.
   * @param limit How many events to print.
   * @param done Called when so many have been printed.
   */
  constructor(output: Output, columns: EventColumns, limit: number, done: () => void) {
    this.#output = output;
    this.#describe = columns;
    this.#limit = limit;
    this.#done = done;
  }

  /** Prints one event of `map`; nothing after the limit. */
  event(map: string, event: TypedEvent): void {
    if (this.#printed >= this.#limit) return;
    if (this.#output.json) this.#json(map, event);
    else this.#row(map, event);
    if (++this.#printed >= this.#limit) this.#done();
  }

  /** Writes out what is pending. */
  flush(): void {
    this.#output.flush();
  }

  #json(map: string, { type, value }: TypedEvent): void {
    if (type === undefined) this.#output.value({ map, hex: hexText(value as Uint8Array, "") });
    else this.#output.value({ map, type: type.name, event: value });
  }

  #row(map: string, { type, value }: TypedEvent): void {
    if (type === undefined) {
      this.#head(`${map} `, `${map} (hex)`);
      this.#output.line(hexText(value as Uint8Array, " "));
      return;
    }
    let columns = this.#columns.get(type);
    if (columns === undefined) {
      columns = this.#describe.of(type);
      this.#columns.set(type, columns);
    }
    const widths = columns.map((column) => column.width);
    const table = columns.map(({ heading, right }) => ({ heading: heading.toUpperCase(), right }));
    this.#head(`${map} ${type.name}`, tableRow(table.map(({ heading }) => heading), table, widths));
    this.#output.line(tableRow(columns.map((column) => cellText(value, column)), table, widths));
  }

  #head(key: string, text: string): void {
    if (key === this.#heading) return;
    this.#heading = key;
    this.#output.line(this.#output.colour ? `\x1b[1m${text}\x1b[0m` : text);
  }
}

function hexText(bytes: Uint8Array, separator: string): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(separator);
}

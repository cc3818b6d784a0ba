/**
 * `debpf btf dump`.
 *
 * @module
 */
import { formatTypeScript, writeC, writeRaw } from "../../lib/btf/dump/mod.ts";
import { EXIT, UsageError } from "../command.ts";
import type { Output } from "../output.ts";
import { openSource, readSourceName } from "./source.ts";
import type { Words } from "./words.ts";

const FORMATS = ["c", "raw", "json", "ts"] as const;

type Format = typeof FORMATS[number];

interface DumpOptions {
  readonly format: Format;
  readonly unsorted: boolean;
  readonly roots: readonly number[];
}

/** Does it; `words` stand behind `dump`, `base` is the value of `-B`. */
export async function dumpBtf(words: Words, base: string | undefined, output: Output): Promise<number> {
  const name = readSourceName(words);
  const options = readOptions(words);
  const asJson = output.json || options.format === "json";
  if (asJson && (options.format === "c" || options.format === "ts")) {
    throw new UsageError(`format ${options.format} is text: it goes without -j and -p`);
  }
  const { btf, roots: sourceRoots } = await openSource(name, base);
  const roots = options.roots.length > 0 ? options.roots : sourceRoots;
  for (const id of roots) {
    if (id >= btf.typeCount) throw new Error(`${btf.what}: has no type id ${id}: ids end at ${btf.typeCount - 1}`);
  }
  // Whole or not at all: half a header would be of no use, and hide what is wrong.
  const pieces: Uint8Array[] = [];
  const keep = (bytes: Uint8Array) => pieces.push(bytes.slice());
  const only = roots.length > 0 ? { roots } : {};
  switch (options.format) {
    case "c":
      writeC(btf, keep, { ...only, unsorted: options.unsorted });
      break;
    case "ts":
      pieces.push(new TextEncoder().encode(formatTypeScript(btf, only)));
      break;
    case "raw":
    case "json":
      // Shows what is there, broken or not.
      writeRaw(btf, (bytes) => output.bytes(bytes), {
        ...only,
        ...(asJson ? { json: output.pretty ? "pretty" : "line" } : {}),
      });
      break;
    default:
      return options.format satisfies never;
  }
  for (const piece of pieces) output.bytes(piece);
  return EXIT.done;
}

function readOptions(words: Words): DumpOptions {
  let format: Format = "raw";
  let unsorted = false;
  const roots: number[] = [];
  for (;;) {
    switch (words.keyword("format", "root_id", "unsorted")) {
      case "format": {
        const word = words.take("the format");
        const known = FORMATS.find((one) => one === word);
        if (known === undefined) throw new UsageError(`"${word}" is no format; there are ${FORMATS.join(", ")}`);
        format = known;
        break;
      }
      case "root_id":
        roots.push(words.id("the id of root_id"));
        break;
      case "unsorted":
        unsorted = true;
        break;
      case undefined:
        words.end();
        if (unsorted && format !== "c") throw new UsageError("unsorted is about format c");
        return { format, unsorted, roots };
    }
  }
}

/**
 * `debpf iter`: iterators of an object, pinned as files or read at once. `pin` is bpftool's.
 *
 * @module
 */
import { attachIter, type AttachIterOptions } from "../../ffi/attach/mod.ts";
import { Collection } from "../../ffi/collection/mod.ts";
import { BpfIterator } from "../../ffi/events/mod.ts";
import type { BpfMap } from "../../ffi/map/mod.ts";
import { exists, fileSystemType } from "../../ffi/sys/mod.ts";
import { compileCodec, type StructType } from "../../lib/btf/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import type { CollectionSpec, ProgramSpec } from "../../lib/spec/mod.ts";
import { BpfAttachType, BtfKind } from "../../lib/uapi/mod.ts";
import { readArgs } from "../args.ts";
import { Words } from "../btf/words.ts";
import { type Command, type Context, EXIT, UsageError } from "../command.ts";
import { readObject } from "../object_file.ts";
import { done } from "../map/elements.ts";
import { takeMap } from "../objects.ts";
import type { Output } from "../output.ts";
import { EventColumns } from "../run/columns.ts";
import { EventPrinter } from "../run/printer.ts";

const KEYWORDS = ["pin", "show", "list"] as const;

/** The command. */
export const command: Command = {
  usage: `usage: debpf iter pin  OBJ PATH [map MAP] [--program NAME]
       debpf iter show OBJ | PATH [map MAP] [--program NAME] [--type STRUCT]
       debpf iter list OBJ

  pin   loads the iterator of an object and makes a file of it: each \`cat PATH\` runs it
  show  runs it once and prints what it writes, text or, with --type, structs of that type; PATH: one that is pinned
  list  the iterators of an object, and what they walk

  MAP:    id ID, name NAME, or pinned PATH: the map that is walked

  --program NAME  which iterator, if the object has several
  --type STRUCT   what it writes: structs of the object's BTF, as a table or JSON lines`,
  run(args, context) {
    const parsed = readArgs(args, { string: ["program", "type"], positional: ["[WORD]..."] });
    return runIter(new Words(parsed.positional), parsed.string("program"), parsed.string("type"), context);
  },
};

async function runIter(
  words: Words,
  program: string | undefined,
  struct: string | undefined,
  { output }: Context,
): Promise<number> {
  const word = words.peek();
  const keyword = words.keyword(...KEYWORDS);
  switch (keyword) {
    case "pin":
      return await pinIterator(words, program, output);
    case "show":
      return await showIterator(words, program, struct, output);
    case "list":
      return await listIterators(words, output);
    case undefined:
      throw new UsageError(
        word === undefined
          ? `one of ${KEYWORDS.join(", ")} is missing`
          : `debpf iter has no "${word}"; it has ${KEYWORDS.join(", ")}`,
      );
    default:
      return keyword satisfies never;
  }
}

async function pinIterator(words: Words, program: string | undefined, output: Output): Promise<number> {
  const spec = await readObject(words.take("OBJ"));
  const path = words.take("PATH");
  using cleanup = new DisposableStack();
  const target = await takeTarget(words, cleanup);
  const name = chooseIterator(spec, program);
  const collection = cleanup.use(Collection.load(spec));
  cleanup.use(attachIter(collection.program(name), target)).pin(path);
  return done(output);
}

async function showIterator(
  words: Words,
  program: string | undefined,
  struct: string | undefined,
  output: Output,
): Promise<number> {
  const path = words.take("OBJ or PATH");
  using cleanup = new DisposableStack();
  const target = await takeTarget(words, cleanup);
  if (isPinned(path)) {
    if (struct !== undefined || program !== undefined || target.map !== undefined) {
      throw new UsageError(`${path} is pinned: it knows what it walks, and has no types: --type needs the object`);
    }
    await printText(cleanup.use(BpfIterator.openPinned(path)), output);
    return EXIT.done;
  }
  const spec = await readObject(path);
  const name = chooseIterator(spec, program);
  const type = struct === undefined ? undefined : structOf(spec, struct);
  const collection = cleanup.use(Collection.load(spec));
  const iterator = cleanup.use(BpfIterator.open(collection.program(name), target));
  if (type === undefined) await printText(iterator, output);
  else await printValues(iterator, spec, type, output);
  return EXIT.done;
}

async function listIterators(words: Words, output: Output): Promise<number> {
  const spec = await readObject(words.take("OBJ"));
  words.end();
  const found = iterators(spec).map(({ name, attachTo }) => ({ name, walks: attachTo }));
  if (output.json) output.value(found);
  else for (const { name, walks } of found) output.line(`${name}  ${walks}`);
  return EXIT.done;
}

async function takeTarget(words: Words, cleanup: DisposableStack): Promise<AttachIterOptions> {
  let map: BpfMap | undefined;
  if (words.peek() !== undefined && words.keyword("map") !== undefined) map = cleanup.use(await takeMap(words));
  words.end();
  return map === undefined ? {} : { map };
}

function iterators(spec: CollectionSpec): ProgramSpec[] {
  return [...spec.programs.values()].filter((one) => one.expectedAttachType === BpfAttachType.BPF_TRACE_ITER);
}

/** Nothing else of the object is loaded. */
function chooseIterator(spec: CollectionSpec, wanted: string | undefined): string {
  const all = iterators(spec);
  const chosen = wanted === undefined ? all : all.filter(({ name }) => name === wanted);
  const [first, second] = chosen;
  const names = all.map(({ name }) => `"${name}"`).join(", ") || "none";
  if (first === undefined) {
    throw new Error(`${spec.name}: no iterator${wanted === undefined ? "" : ` "${wanted}"`}; it has ${names}`);
  }
  if (second !== undefined) throw new UsageError(`${spec.name} has several iterators: --program says which: ${names}`);
  for (const program of spec.programs.values()) program.autoload = program === first;
  return first.name;
}

function structOf(spec: CollectionSpec, name: string): StructType {
  const type = spec.btf?.find(name, BtfKind.Struct);
  if (type?.kind === BtfKind.Struct) return type;
  throw new UsageError(`--type ${name}: the object's BTF has no such struct`);
}

/** A pinned link is a file of a BPF file system, and no object. */
function isPinned(path: string): boolean {
  return exists(path) && fileSystemType(path) === BPF_FS_MAGIC;
}

/** linux/magic.h */
const BPF_FS_MAGIC = 0xcafe4a11;

async function printText(iterator: BpfIterator, output: Output): Promise<void> {
  if (output.json) {
    for await (const line of iterator.lines()) output.value(line);
  } else {
    for await (const bytes of iterator.bytes()) output.bytes(bytes);
  }
}

async function printValues(
  iterator: BpfIterator,
  spec: CollectionSpec,
  type: StructType,
  output: Output,
): Promise<void> {
  const columns = new EventColumns(spec.btf, new Map());
  const printer = new EventPrinter(output, columns, Infinity, () => {});
  const codec = compileCodec(type, { order: HOST_BYTE_ORDER });
  for await (const value of iterator.values(codec)) {
    if (output.json) output.value(value);
    else printer.event("", { type, value: value as Record<string, typeof value> });
  }
  printer.flush();
}

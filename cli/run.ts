/**
 * `debpf run`: load an object, attach what can be attached, print its events.
 *
 * @module
 */
import { Collection } from "../ffi/collection/mod.ts";
import type { CollectionSpec, EventTypes, ProgramSpec, VariableSpec } from "../lib/spec/mod.ts";
import { readCollectionSpec } from "../lib/spec/mod.ts";
import { type Args, readArgs } from "./args.ts";
import { type Command, type Context, EXIT, UsageError } from "./command.ts";
import { readKconfig } from "./kconfig.ts";
import { noteSkipped } from "./kernels.ts";
import { readObject } from "./object_file.ts";
import { parseFieldFormats } from "./run/columns.ts";
import { chooseEventTypes } from "./run/event_choice.ts";
import { eventMaps, watch } from "./run/watch.ts";
import { parseValue } from "./run/parse_value.ts";

/** The command. */
export const command: Command = {
  usage: `usage: debpf run [OBJECT] [OPTION]...

Loads an object, attaches every program whose section name says where, and prints the events of its ring buffers and
perf event arrays until Ctrl-C. Without OBJECT: the bundled execsnoop, a row for every program that starts on this machine.

  --program GLOB         load only programs whose names match; may be repeated
  --set VAR=VALUE        set a global variable before loading: a number, true, text or JSON; may be repeated
  --kconfig FILE         options of the kernel's configuration (CONFIG_HZ=250) that win over the kernel's own
  --event MAP=STRUCT     the type of a map's records, where the object does not say; STRUCT,STRUCT for several
  --format FIELD=KIND    show a field as dec, hex, time (ns since boot), ip4, ip6 or mac; may be repeated
  --count N              end after N events
  --duration SECONDS     end after that time
  --trace                also print what bpf_printk writes, and the programs' own streams (stdout, stderr)
  --dry-run              load and verify, attach nothing`,
  async run(args, context) {
    const parsed = readArgs(args, {
      collect: ["program", "set", "event", "format"],
      string: ["count", "duration", "kconfig"],
      boolean: ["trace", "dry-run"],
      positional: ["[OBJECT]"],
    });
    const spec = await specOf(parsed.positional[0]);
    choosePrograms(spec, parsed.collected("program"));
    for (const text of parsed.collected("set")) setVariable(spec, text);
    const choice = chooseEventTypes(spec, parsed.collected("event"));
    return await runCollection(spec, choice, parsed, context);
  },
};

async function specOf(path: string | undefined): Promise<CollectionSpec> {
  if (path !== undefined) return await readObject(path);
  const { execsnoopObject } = await import("./bundled/execsnoop.ts");
  return readCollectionSpec(execsnoopObject(), { name: "execsnoop.bpf.o" });
}

async function runCollection(
  spec: CollectionSpec,
  choice: ReadonlyMap<string, EventTypes>,
  args: Args,
  { output }: Context,
): Promise<number> {
  const formats = parseFieldFormats(args.collected("format"));
  const count = args.positive("count");
  if (count !== undefined && !Number.isInteger(count)) throw new UsageError("--count takes a whole number");
  const durationSeconds = args.positive("duration");
  const kconfig = await readKconfig(args.string("kconfig"));
  using collection = Collection.load(spec, { kconfig, skippedModule: noteSkipped(output) });
  if (args.flag("dry-run")) {
    output.note(`loaded: ${names(collection.programs.keys())}`);
    return EXIT.done;
  }
  const { attached, skipped } = attachAll(collection, spec);
  const trace = args.flag("trace");
  if (attached === 0) throw new Error(`${spec.name}: none of its programs says in its section name where to attach it`);
  for (const { name, section } of skipped) {
    output.note(`debpf: program "${name}" (section "${section}") is not attached: its section name does not say where`);
  }
  if (eventMaps(collection).length === 0 && !trace) {
    output.note("debpf: the object has no ring buffer or perf event array: nothing will be printed; Ctrl-C ends it");
  }
  await watch(collection, choice, { output, formats, count, durationSeconds, trace });
  return EXIT.done;
}

/** Programs of other names are not loaded; one that is named is, also if its section begins with `?`. */
function choosePrograms(spec: CollectionSpec, globs: readonly string[]): void {
  if (globs.length === 0) return;
  const patterns = globs.map((glob) => ({ glob, pattern: globPattern(glob) }));
  for (const { glob, pattern } of patterns) {
    if ([...spec.programs.keys()].some((name) => pattern.test(name))) continue;
    throw new UsageError(`--program ${glob}: no program of that name; the object has ${names(spec.programs.keys())}`);
  }
  for (const program of spec.programs.values()) {
    program.autoload = patterns.some(({ pattern }) => pattern.test(program.name));
  }
}

function globPattern(glob: string): RegExp {
  const source = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}

function setVariable(spec: CollectionSpec, text: string): void {
  const [name, value] = splitAssignment("set", text, "VAR=VALUE");
  const variable: VariableSpec | undefined = spec.variables.get(name);
  if (variable === undefined) {
    throw new UsageError(`--set ${text}: no variable of that name; the object has ${names(spec.variables.keys())}`);
  }
  try {
    variable.set(parseValue(value, variable));
  } catch (error) {
    throw new UsageError(`--set ${text}: ${error instanceof Error ? error.message : error}`);
  }
}

/** `NAME=REST` in its two parts. */
export function splitAssignment(option: string, text: string, form: string): [string, string] {
  const at = text.indexOf("=");
  if (at <= 0) throw new UsageError(`--${option} takes ${form}, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function names(all: Iterable<string>): string {
  return [...all].map((name) => `"${name}"`).join(", ") || "none";
}

/** Attaches what can be attached: programs that need to be told where are left out, and named. */
function attachAll(collection: Collection, spec: CollectionSpec): { attached: number; skipped: ProgramSpec[] } {
  const loaded = [...spec.programs.values()].filter((program) => program.autoload);
  const attached = collection.attach({ only: (program) => program.autoAttach }).length;
  // Struct_ops programs are attached with their maps.
  return { attached, skipped: loaded.filter((program) => !program.autoAttach && program.attach !== "struct_ops") };
}

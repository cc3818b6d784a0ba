/**
 * Arguments of one command, strictly: an option that the command does not know, or one without its value, is a
 * `UsageError` and never ignored.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "./command.ts";

/** Which options a command takes; names without dashes. */
export interface ArgsShape {
  /** Options with a value that may be given once. */
  readonly string?: readonly string[];
  /** Options with a value that may be given several times. */
  readonly collect?: readonly string[];
  /** Options without a value. */
  readonly boolean?: readonly string[];
  /** Names of the arguments that are no options, for messages: `["OBJECT", "[PROGRAM]"]`. */
  readonly positional: readonly string[];
}

/** What was given. */
export interface Args {
  /** Arguments that are no options, as text. */
  readonly positional: readonly string[];
  /** The value of a single option. */
  string(name: string): string | undefined;
  /** The values of an option that may be repeated, in the order given. */
  collected(name: string): readonly string[];
  /** Whether an option without a value was given. */
  flag(name: string): boolean;
  /** The value of a single option as a number above 0. */
  positive(name: string): number | undefined;
}

/**
 * Parses a command's arguments.
 *
 * @throws {UsageError} naming the option or argument.
 */
export function readArgs(args: readonly string[], shape: ArgsShape): Args {
  const valued = [...shape.string ?? [], ...shape.collect ?? []];
  refuseMissingValues(args, new Set(valued));
  const parsed = parseArgs([...args], {
    // "_": positional words stay text, also those that look like numbers.
    string: ["_", ...valued],
    boolean: [...shape.boolean ?? []],
    collect: valued,
    unknown: (word: string, key?: string): boolean => {
      if (key !== undefined) throw new UsageError(`unknown option ${word}`);
      return true;
    },
  });
  const values = parsed as Record<string, unknown>;
  const collected = (name: string): readonly string[] => (values[name] ?? []) as string[];
  const single = (name: string): string | undefined => {
    const given = collected(name);
    if (given.length > 1) throw new UsageError(`--${name} may be given only once`);
    return given[0];
  };
  return {
    positional: checkPositional(parsed._.map(String), shape.positional),
    string: single,
    collected,
    flag: (name) => values[name] === true,
    positive: (name) => {
      const text = single(name);
      if (text === undefined) return undefined;
      const number = Number(text);
      if (!(number > 0 && Number.isFinite(number))) {
        throw new UsageError(`--${name}: "${text}" is not a number above 0`);
      }
      return number;
    },
  };
}

function refuseMissingValues(args: readonly string[], valued: ReadonlySet<string>): void {
  for (const [index, arg] of args.entries()) {
    if (arg === "--") return;
    const name = arg.replace(/=$/, "");
    if (!name.startsWith("--") || !valued.has(name.slice(2))) continue;
    const next = args[index + 1];
    if (name !== arg || next === undefined || next.startsWith("--")) throw new UsageError(`${name} needs a value`);
    if (/^-./.test(next)) throw new UsageError(`${arg} needs a value; if "${next}" is meant, write ${arg}=${next}`);
  }
}

function checkPositional(given: string[], names: readonly string[]): string[] {
  const needed = names.filter((name) => !name.startsWith("["));
  if (given.length < needed.length) throw new UsageError(`${needed[given.length]} is missing`);
  const many = names.some((name) => name.endsWith("..."));
  if (!many && given.length > names.length) throw new UsageError(`unexpected argument "${given[names.length]}"`);
  return given;
}

/**
 * `debpf btf diff`.
 *
 * @module
 */
import type { Btf } from "../../lib/btf/mod.ts";
import {
  type BtfDiff,
  diffBtf,
  type PartChange,
  type PartState,
  type TypeChange,
} from "../../lib/btf/questions/mod.ts";
import { EXIT } from "../command.ts";
import type { Output } from "../output.ts";
import { openSource } from "./source.ts";
import type { Words } from "./words.ts";

/** Does it; `words` stand behind `diff`. `basePath`: the file of what both continue. */
export async function diffBtfs(words: Words, basePath: string | undefined, output: Output): Promise<number> {
  const paths = [words.take("A"), words.take("B")] as const;
  const names: string[] = [];
  while (words.peek() !== undefined) names.push(words.take("TYPE"));
  const [before, after] = await Promise.all(paths.map(async (path) => {
    return (await openSource({ kind: "file", path }, basePath)).btf;
  })) as [Btf, Btf];
  for (const name of names) {
    const plain = name.slice(name.indexOf(" ") + 1);
    if (before.find(plain) === undefined && after.find(plain) === undefined) {
      throw new Error(`neither ${paths[0]} nor ${paths[1]} has a type, function or variable "${plain}"`);
    }
  }
  const diff = diffBtf(before, after, { names });
  if (output.json) output.value(toJson(diff));
  else for (const line of toLines(diff)) output.line(line);
  return EXIT.done;
}

function toJson({ added, removed, changed }: BtfDiff): Record<string, unknown> {
  const title = ({ sort, name }: { sort: string; name: string }) => ({ kind: sort, name });
  const state = (part: PartState | undefined) =>
    part === undefined ? undefined : {
      text: part.text,
      offset_bits: part.offsetBits,
      bitfield_bits: part.bitfieldBits,
    };
  return {
    added: added.map(title),
    removed: removed.map(title),
    changed: changed.map((change) => ({
      ...title(change),
      size: change.sizes,
      parts: change.parts.map(({ kind, name, before, after }) => ({
        change: kind,
        name,
        before: state(before),
        after: state(after),
      })),
    })),
  };
}

function* toLines({ added, removed, changed }: BtfDiff): Iterable<string> {
  for (const { sort, name } of removed) yield `- ${sort} ${name}`;
  for (const { sort, name } of added) yield `+ ${sort} ${name}`;
  for (const change of changed) yield* changeLines(change);
}

function* changeLines({ sort, name, sizes, parts }: TypeChange): Iterable<string> {
  const size = sizes === undefined || sizes.before === sizes.after ? "" : `, ${sizes.before} -> ${sizes.after} bytes`;
  yield `~ ${sort} ${name}${size}`;
  for (let index = 0; index < parts.length;) {
    const run = movedTogether(parts, index);
    if (run > 1) {
      const [first, last] = [parts[index]!, parts[index + run - 1]!];
      yield `    > ${first.name} to ${last.name}: ${run} members moved by ${signed(shiftOf(first)!)}`;
      index += run;
    } else {
      yield* partLines(parts[index]!);
      index++;
    }
  }
}

/** Number of parts from `index` on that moved by as much: one new member moves all that follow. */
function movedTogether(parts: readonly PartChange[], index: number): number {
  const shift = shiftOf(parts[index]!);
  let end = index;
  while (shift !== undefined && end < parts.length && shiftOf(parts[end]!) === shift) end++;
  return end - index;
}

/** By how many bits a member moved, if that is all that happened to it. */
function shiftOf({ kind, before, after }: PartChange): number | undefined {
  return kind === "moved" ? after!.offsetBits! - before!.offsetBits! : undefined;
}

function* partLines({ kind, name, before, after }: PartChange): Iterable<string> {
  switch (kind) {
    case "added":
      yield `    + ${partText(name, after!)}`;
      break;
    case "removed":
      yield `    - ${partText(name, before!)}`;
      break;
    case "moved":
      yield `    > ${name}: ${at(before!)} -> ${at(after!)}`;
      break;
    case "retyped":
    case "changed":
      yield `    - ${partText(name, before!)}`;
      yield `    + ${partText(name, after!)}`;
      break;
    default:
      return kind satisfies never;
  }
}

function partText(name: string, state: PartState): string {
  if (name === "") return state.text;
  if (state.offsetBits === undefined) return `${name} = ${state.text}`;
  const bits = state.bitfieldBits === undefined ? "" : `:${state.bitfieldBits}`;
  return `${name}${bits}: ${state.text}, at ${at(state)}`;
}

/** An offset in bytes; with the bits where it is not a whole number of them. */
function at({ offsetBits = 0 }: PartState): string {
  return inBytes(offsetBits);
}

function inBytes(bits: number): string {
  const rest = bits % 8;
  return rest === 0 ? `${bits / 8}` : `${(bits - rest) / 8} + ${rest} bits`;
}

function signed(bits: number): string {
  const size = inBytes(Math.abs(bits));
  return `${bits < 0 ? "-" : "+"}${size}${size.endsWith("bits") ? "" : " bytes"}`;
}

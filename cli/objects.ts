/**
 * Maps, programs and links that a user names, as live objects.
 *
 * @module
 */
import { BpfMap } from "../ffi/map/mod.ts";
import { BpfProgram } from "../ffi/program/mod.ts";
import * as sys from "../ffi/sys/mod.ts";
import { type ObjectName, openMap, openProgram, readObjectName } from "./btf/objects.ts";
import type { Words } from "./btf/words.ts";
import { UsageError } from "./command.ts";

/** Takes a map's name: `id 7`, `name events`, `pinned /sys/fs/bpf/x`. */
export function readMapName(words: Words): ObjectName {
  return readObjectName(words, "MAP", ["id", "name", "pinned"]);
}

/** Takes a program's name: `id 7`, `tag 0a...`, `name count`, `pinned /sys/fs/bpf/x`. */
export function readProgramName(words: Words): ObjectName {
  return readObjectName(words, "PROG", ["id", "name", "tag", "pinned"]);
}

/** The map that the next words name; there has to be just one. */
export async function takeMap(words: Words): Promise<BpfMap> {
  const name = readMapName(words);
  return name.by === "pinned" ? BpfMap.openPinned(name.value) : BpfMap.fromId((await openMap(name)).id);
}

/** The program that the next words name; there has to be just one. */
export async function takeProgram(words: Words): Promise<BpfProgram> {
  const name = readProgramName(words);
  return name.by === "pinned" ? BpfProgram.openPinned(name.value) : BpfProgram.fromId((await openProgram(name)).id);
}

/** The link that the next words name: `id 7` or `pinned /sys/fs/bpf/x`. */
export function takeLink(words: Words): sys.Fd {
  const { by, value } = readObjectName(words, "LINK", ["id", "pinned"]);
  if (by === "id") return sys.linkGetFdById(Number(value));
  const fd = sys.objGet(value);
  try {
    sys.checkObjectKind(fd.value, "link");
  } catch (error) {
    fd.close();
    throw error;
  }
  return fd;
}

/** Takes a whole number. */
export function takeNumber(words: Words, what: string): number {
  const word = words.take(what);
  const number = /^(0x[0-9a-f]+|\d+)$/i.test(word) ? Number(word) : NaN;
  if (!(number <= 0xffff_ffff)) throw new UsageError(`${what}: "${word}" is not a number of 32 bits`);
  return number;
}

/** Takes the word that has to stand there. */
export function takeWord(words: Words, keyword: string): void {
  if (words.keyword(keyword) === undefined) {
    throw new UsageError(`"${keyword}" is missing${words.peek() === undefined ? "" : ` before "${words.peek()}"`}`);
  }
}

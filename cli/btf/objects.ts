/**
 * Maps and programs that are named on the command line as bpftool does: `id 7`, `name events`, `pinned /sys/fs/bpf/x`.
 *
 * @module
 */
import type { MapInfo, ProgInfo } from "../../ffi/sys/mod.ts";
import { UsageError } from "../command.ts";
import { kernelCalls } from "./kernel.ts";
import type { Words } from "./words.ts";

/** By what an object is named. */
export type NamedBy = "id" | "name" | "tag" | "pinned";

/** How a user named a map or a program. */
export interface ObjectName {
  readonly by: NamedBy;
  readonly value: string;
}

/** Takes the two words of a name. */
export function readObjectName(words: Words, what: string, ways: NamedBy[]): ObjectName {
  const by = words.keyword(...ways);
  if (by === undefined) throw new UsageError(`"${words.take(what)}" names no ${what}: write ${ways.join(", ")}`);
  return { by, value: by === "id" ? String(words.id("ID")) : words.take(by) };
}

/** The map that a user named. */
export async function openMap(name: ObjectName): Promise<MapInfo> {
  const sys = await kernelCalls();
  const info = (id: number): MapInfo => {
    using fd = sys.mapGetFdById(id);
    return sys.mapInfo(fd.value);
  };
  if (name.by === "pinned") {
    using fd = sys.objGet(name.value);
    return sys.mapInfo(fd.value);
  }
  if (name.by === "id") return info(Number(name.value));
  return only(
    `map with the name "${name.value}"`,
    all(sys.mapGetNextId, info).filter((map) => map.name === name.value),
  );
}

/** The program that a user named. */
export async function openProgram(name: ObjectName): Promise<ProgInfo> {
  const sys = await kernelCalls();
  const info = (id: number): ProgInfo => {
    using fd = sys.progGetFdById(id);
    return sys.progInfo(fd.value);
  };
  if (name.by === "pinned") {
    using fd = sys.objGet(name.value);
    return sys.progInfo(fd.value);
  }
  if (name.by === "id") return info(Number(name.value));
  const isMeant = (prog: ProgInfo) =>
    name.by === "tag" ? prog.tag.toHex() === name.value.toLowerCase() : prog.name === name.value;
  return only(`program with the ${name.by} "${name.value}"`, all(sys.progGetNextId, info).filter(isMeant));
}

/** What the kernel says of each object; what goes away meanwhile is left out. */
export function all<T>(next: (id: number) => number | undefined, info: (id: number) => T): T[] {
  const found: T[] = [];
  for (let id = next(0); id !== undefined; id = next(id)) {
    try {
      found.push(info(id));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
  return found;
}

function only<T extends { readonly id: number }>(what: string, found: readonly T[]): T {
  const [first] = found;
  if (first === undefined) throw new Error(`there is no ${what}`);
  if (found.length > 1) {
    throw new Error(`there is more than one ${what}: take one by its id: ${found.map(({ id }) => id).join(", ")}`);
  }
  return first;
}

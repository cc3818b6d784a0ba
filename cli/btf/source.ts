/**
 * The BTF that a user names: of a file, of the kernel, of a map, of a program.
 *
 * @module
 */
import { type Btf, openBtf } from "../../lib/btf/mod.ts";
import { FormatError } from "../../lib/errors.ts";
import { UsageError } from "../command.ts";
import { readFile } from "../files.ts";
import { hasKernel, kernelBtf } from "./kernel.ts";
import { type ObjectName, openMap, openProgram, readObjectName } from "./objects.ts";
import type { Words } from "./words.ts";

/** What a user named. */
export type SourceName =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "id"; readonly id: number }
  | { readonly kind: "map"; readonly map: ObjectName; readonly part: MapPart }
  | { readonly kind: "prog"; readonly prog: ObjectName };

/** Which types of a map. */
export type MapPart = "key" | "value" | "kv" | "all";

/** BTF, and the types of it that are meant; none: all. */
export interface Source {
  readonly btf: Btf;
  readonly roots: readonly number[];
}

/** The word for the running kernel, where a file is asked for. */
const RUNNING_KERNEL = "vmlinux";
const KERNEL_FOLDER = "/sys/kernel/btf/";

/** Takes the words of a source. */
export function readSourceName(words: Words): SourceName {
  const kind = words.keyword("file", "id", "map", "prog");
  switch (kind) {
    case "file":
      return { kind, path: words.take("FILE") };
    case "id":
      return { kind, id: words.id("ID") };
    case "map":
      return {
        kind,
        map: readObjectName(words, "MAP", ["id", "name", "pinned"]),
        part: words.keyword("key", "value", "kv", "all") ?? "kv",
      };
    case "prog":
      return { kind, prog: readObjectName(words, "PROG", ["id", "name", "tag", "pinned"]) };
    case undefined:
      throw new UsageError(`"${words.take("SOURCE")}" is no source of BTF: those are file, id, map and prog`);
  }
}

/**
 * Opens what a user named.
 *
 * @param basePath The file of what it continues.
 */
export async function openSource(name: SourceName, basePath: string | undefined): Promise<Source> {
  const base = basePath === undefined ? undefined : await openFile(basePath, undefined);
  switch (name.kind) {
    case "file":
      return { btf: await openFile(name.path, base), roots: [] };
    case "id":
      return { btf: await openLoaded(name.id, base), roots: [] };
    case "map": {
      const { btfId, btfKeyTypeId, btfValueTypeId, id } = await openMap(name.map);
      if (btfId === 0) throw new Error(`map ${id}: has no BTF`);
      const roots = { key: [btfKeyTypeId], value: [btfValueTypeId], kv: [btfKeyTypeId, btfValueTypeId], all: [] };
      return { btf: await openLoaded(btfId, base), roots: roots[name.part] };
    }
    case "prog": {
      const { btfId, id } = await openProgram(name.prog);
      if (btfId === 0) throw new Error(`program ${id}: has no BTF`);
      return { btf: await openLoaded(btfId, base), roots: [] };
    }
    default:
      return name satisfies never;
  }
}

async function openLoaded(id: number, base: Btf | undefined): Promise<Btf> {
  const { loadedBtf } = await kernelBtf();
  return loadedBtf(id, base === undefined ? {} : { base });
}

async function openFile(path: string, base: Btf | undefined): Promise<Btf> {
  if (path === RUNNING_KERNEL) return (await kernelBtf()).hostBtf();
  if (path.startsWith(KERNEL_FOLDER) && await hasKernel()) {
    const { moduleBtf } = await kernelBtf();
    return moduleBtf(path.slice(KERNEL_FOLDER.length), base === undefined ? {} : { base });
  }
  return open(await readFile(path), path, base);
}

/** A BTF that continues another begins without the empty string: then a base is asked for. */
function open(bytes: Uint8Array, what: string, base: Btf | undefined): Btf {
  if (base !== undefined) return openBtf(bytes, { what, base });
  try {
    return openBtf(bytes, { what });
  } catch (error) {
    if (!(error instanceof FormatError) || !error.message.includes("empty string")) throw error;
    throw new FormatError(`${what}: continues another BTF, a module's that of its kernel: name it by -B BASE`, {
      cause: error,
    });
  }
}

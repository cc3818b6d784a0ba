/**
 * `debpf prog load` and `loadall`.
 *
 * @module
 */
import { Collection } from "../../ffi/collection/mod.ts";
import type { BpfMap } from "../../ffi/map/mod.ts";
import { checkPinPath, pin, unpin } from "../../ffi/pin/mod.ts";
import type { CollectionSpec } from "../../lib/spec/mod.ts";
import type { Words } from "../btf/words.ts";
import { UsageError } from "../command.ts";
import { readObject } from "../object_file.ts";
import { done } from "../map/elements.ts";
import { takeMap, takeNumber } from "../objects.ts";
import type { Output } from "../output.ts";

/** Does it; `words` stand behind `load` or `loadall`. */
export async function loadPrograms(words: Words, all: boolean, output: Output): Promise<number> {
  const spec = await readObject(words.take("OBJ"));
  const path = words.take("PATH");
  using cleanup = new DisposableStack();
  const maps = new Map<string, BpfMap>();
  let pinMaps: string | undefined;
  while (words.peek() !== undefined) {
    if (words.keyword("map") !== undefined) {
      const name = takeMapOf(words, spec);
      maps.set(name, cleanup.use(await takeMap(words)));
    } else if (words.keyword("pinmaps") !== undefined) {
      pinMaps = words.take("MAP_DIR");
    } else throw new UsageError(`unexpected argument "${words.peek()}"`);
  }
  const [first] = spec.programs.values();
  if (first === undefined) throw new Error(`${spec.name}: it has no programs`);
  if (!all) { for (const program of spec.programs.values()) program.autoload = program === first; }
  if (!all) checkPinPath(path);
  const collection = cleanup.use(Collection.load(spec, { maps }));
  pinAll(collection, all ? path : undefined, path, pinMaps);
  return done(output);
}

/** `idx N` or `name NAME` of a map of the object. */
function takeMapOf(words: Words, spec: CollectionSpec): string {
  const by = words.keyword("idx", "name");
  if (by === undefined) throw new UsageError("idx or name of the object's map is missing");
  if (by === "name") return words.take("NAME");
  const index = takeNumber(words, "idx");
  const name = [...spec.maps.keys()][index];
  if (name === undefined) throw new UsageError(`idx ${index}: the object has ${spec.maps.size} maps`);
  return name;
}

/** All or none: what was pinned goes again should a later pin fail. */
function pinAll(collection: Collection, folder: string | undefined, path: string, pinMaps: string | undefined): void {
  using undo = new DisposableStack();
  const pinAt = (object: { fd: number }, at: string) => {
    pin(object, at, { makeDirs: true });
    undo.defer(() => unpin(at));
  };
  for (const program of collection.programs.values()) {
    pinAt(program, folder === undefined ? path : `${folder}/${program.name.replaceAll(".", "_")}`);
  }
  if (pinMaps !== undefined) {
    for (const map of collection.maps.values()) pinAt(map, `${pinMaps}/${map.name.replaceAll(".", "_")}`);
  }
  undo.move();
}

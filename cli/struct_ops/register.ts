/**
 * `debpf struct_ops register`.
 *
 * @module
 */
import type { Link } from "../../ffi/attach/mod.ts";
import { Collection } from "../../ffi/collection/mod.ts";
import { unpin } from "../../ffi/pin/mod.ts";
import { type StructOps, unregisterStructOps } from "../../ffi/struct_ops/mod.ts";
import type { Words } from "../btf/words.ts";
import { done } from "../map/elements.ts";
import { readObject } from "../object_file.ts";
import type { Output } from "../output.ts";

/** Does it, all or none; `words` stand behind `register`. */
export async function register(words: Words, output: Output): Promise<number> {
  const path = words.take("OBJ");
  const folder = words.peek() === undefined ? undefined : words.take("LINK_DIR");
  words.end();
  using collection = Collection.load(await readObject(path));
  if (collection.structOps.size === 0) throw new Error(`no struct_ops found in ${path}`);
  using links = new DisposableStack();
  using undo = new DisposableStack();
  for (const structOps of collection.structOps.values()) {
    if (structOps.linked) {
      const link = attachLinked(structOps, folder, links, undo);
      say(output, structOps, `map id ${structOps.map.id} link id ${link.id}`);
    } else {
      structOps.register();
      undo.defer(() => void unregisterStructOps(structOps.map.fd));
      say(output, structOps, `id ${structOps.map.id}`);
    }
  }
  // What an update registered, and what is pinned, stays.
  undo.move();
  return done(output);
}

function attachLinked(
  structOps: StructOps,
  folder: string | undefined,
  links: DisposableStack,
  undo: DisposableStack,
): Link {
  const link = links.use(structOps.attach());
  if (folder === undefined) return link;
  const path = `${folder}/${structOps.map.name.replaceAll(".", "_")}`;
  link.pin(path, { makeDirs: true });
  undo.defer(() => unpin(path));
  return link;
}

function say(output: Output, { map, type }: StructOps, ids: string): void {
  if (!output.json) output.line(`Registered ${type} ${map.name} ${ids}`);
}

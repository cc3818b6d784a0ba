/**
 * `debpf gen object`: the static linker.
 *
 * @module
 */
import { linkObjects, type ObjectFile } from "../../lib/linker/static/mod.ts";
import { readArgs } from "../args.ts";
import { EXIT } from "../command.ts";
import { readFile } from "../files.ts";
import type { Output } from "../output.ts";
import { writeFile } from "./write.ts";

/** What `debpf help gen` says about it. */
export const OBJECT_USAGE = `object OUT IN...

Links BPF objects into one. A function, variable or map that one object declares extern is found in another; of several
definitions a strong one wins over those that are __weak. What no object defines stays extern, so that OUT can be
linked again. DWARF is left out: with a single IN that is all that changes.

  OUT     the object to write; nothing is written if linking fails
  IN      objects that clang made, or this command`;

/** Runs the command. */
export async function generateObject(args: readonly string[], output: Output): Promise<number> {
  const { positional: [out = "", ...paths] } = readArgs(args, { positional: ["OUT", "IN", "[IN]..."] });
  const objects: ObjectFile[] = [];
  for (const name of paths) objects.push({ name, bytes: await readFile(name) });
  const bytes = linkObjects(objects);
  await writeFile(out, bytes);
  if (output.json) output.value({ file: out, bytes: bytes.length });
  return EXIT.done;
}

/**
 * `debpf gen object`: the static linker.
 *
 * @module
 */
import { linkObjects, type ObjectFile } from "../../lib/linker/static/mod.ts";
import { readArgs } from "../args.ts";
import { EXIT } from "../command.ts";
import { viewFile } from "../files.ts";
import type { Output } from "../output.ts";
import { writeFile } from "./write.ts";

/** Runs the command. */
export async function generateObject(args: readonly string[], output: Output): Promise<number> {
  const { positional: [out = "", ...paths] } = readArgs(args, { positional: ["OUT", "IN", "[IN]..."] });
  // Most of an object is DWARF, which nobody looks at.
  using views = new DisposableStack();
  const objects: ObjectFile[] = [];
  for (const name of paths) objects.push({ name, bytes: views.use(await viewFile(name)).bytes });
  const bytes = linkObjects(objects);
  await writeFile(out, bytes);
  if (output.json) output.value({ file: out, bytes: bytes.length });
  return EXIT.done;
}

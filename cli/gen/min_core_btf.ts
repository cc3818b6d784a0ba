/**
 * `debpf gen min_core_btf`: the part of a kernel's BTF that given objects need.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { CORE_RELOCATION, type CoreRelocation } from "../../lib/btf/mod.ts";
import { minimalBtf } from "../../lib/core/mod.ts";
import type { CollectionSpec } from "../../lib/spec/mod.ts";
import { readArgs } from "../args.ts";
import { EXIT, UsageError } from "../command.ts";
import { readObject } from "../object_file.ts";
import { type Kernel, noteSkipped, readKernels, refuseOtherOrder } from "../kernels.ts";
import type { Output } from "../output.ts";
import { isDirectory, makeDirectory, writeFile } from "./write.ts";

/** Runs the command. */
export async function generateMinimalBtf(args: readonly string[], output: Output): Promise<number> {
  const { positional } = readArgs(args, { positional: ["IN", "OUT", "OBJECT", "[OBJECT]..."] });
  const { inputs, out, objects } = await divide(positional);
  const kernels = await readKernels(inputs);
  const specs: CollectionSpec[] = [];
  for (const path of objects) specs.push(await readObject(path));
  const files = kernels.map((kernel) => ({
    kernel,
    path: out.directory ? join(out.path, fileName(kernel)) : out.path,
  }));
  refuseTwice(files.map(({ path }) => path));
  const relocations = specs.map(relocationsOf);
  const made = files.map(({ kernel, path }) => {
    for (const spec of specs) refuseOtherOrder(spec, kernel);
    return { kernel, path, bytes: minimalBtf(relocations, kernel.targets, { skipped: noteSkipped(output) }) };
  });
  // Nothing is written unless all of them can be made.
  if (out.directory) await makeDirectory(out.path);
  for (const { kernel, path, bytes } of made) {
    await writeFile(path, bytes);
    if (output.json) output.value({ kernel: kernel.name, file: path, bytes: bytes.length });
    else output.line(`${path}: ${bytes.length} bytes of ${kernel.name}`);
  }
  return EXIT.done;
}

/** Which words are kernels, which is the place to write to, which are objects. */
async function divide(
  words: readonly string[],
): Promise<{ inputs: readonly string[]; out: { path: string; directory: boolean }; objects: readonly string[] }> {
  for (let at = 1; at < words.length - 1; at++) {
    const path = words[at]!;
    if (!path.endsWith("/") && !await isDirectory(path)) continue;
    return { inputs: words.slice(0, at), out: { path, directory: true }, objects: words.slice(at + 1) };
  }
  return { inputs: words.slice(0, 1), out: { path: words[1]!, directory: false }, objects: words.slice(2) };
}

function fileName({ name }: Kernel): string {
  return `${basename(name)}.btf`;
}

function refuseTwice(paths: readonly string[]): void {
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) {
    throw new UsageError(`two kernels would be written to ${twice}: their files need different names`);
  }
}

function relocationsOf(spec: CollectionSpec): CoreRelocation[] {
  return [...spec.programs.values(), ...spec.functions].flatMap(({ instructions }) =>
    instructions.flatMap((insn) => insn.get(CORE_RELOCATION) ?? [])
  );
}

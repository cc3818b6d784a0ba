/**
 * The objects of testdata.
 *
 * @module
 */
import { join } from "@std/path";
import type { Instruction } from "../../../lib/asm/mod.ts";
import { type CollectionSpec, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { inRepository } from "../../support/mod.ts";

/** Paths of all BPF objects in testdata, in the repository. */
export function objectPaths(): string[] {
  const paths: string[] = [];
  for (const compiler of ["clang14", "clang19"]) {
    for (const { name } of Deno.readDirSync(inRepository("testdata", compiler))) {
      if (name.endsWith(".o")) paths.push(join("testdata", compiler, name));
    }
  }
  return paths.sort();
}

/** Reads one; `undefined` if it is one of those that are broken on purpose. */
export function readObject(path: string): CollectionSpec | undefined {
  try {
    return readCollectionSpec(Deno.readFileSync(inRepository(path)), { name: path });
  } catch {
    return undefined;
  }
}

/** The code of an object: each program and function by its name. */
export function* codeOf(spec: CollectionSpec): Generator<readonly [name: string, insns: readonly Instruction[]]> {
  for (const program of spec.programs.values()) yield [program.name, program.instructions];
  for (const fn of spec.functions) yield [fn.label.name, fn.instructions];
}

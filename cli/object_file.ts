/**
 * Object files that a user names.
 *
 * @module
 */
import { basename } from "@std/path/basename";
import { type CollectionSpec, readCollectionSpec } from "../lib/spec/mod.ts";
import { readFile } from "./files.ts";

/** Reads an object file; its name without directories names its global data maps, as libbpf's do. */
export async function readObject(path: string): Promise<CollectionSpec> {
  return readCollectionSpec(await readFile(path), { name: basename(path) });
}

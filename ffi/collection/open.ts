/**
 * Object files by path.
 *
 * @module
 */
import { type CollectionSpec, readCollectionSpec } from "../../lib/spec/mod.ts";
import { readFile } from "../sys/mod.ts";

/**
 * Reads an object file through libc: `--allow-ffi` is enough. Nothing is loaded.
 *
 * @param path The file; its base name begins the names of the maps that hold global data.
 * @throws {FormatError} if it is no BPF object.
 * @throws {SyscallError} if it cannot be read.
 */
export function openCollectionSpec(path: string): CollectionSpec {
  return readCollectionSpec(readFile(path), { name: path.slice(path.lastIndexOf("/") + 1) });
}

/**
 * Files that a user names, read through libc when FFI is allowed, else with `--allow-read`.
 *
 * @module
 */
import { basename } from "@std/path";
import { readCollectionSpec } from "../lib/spec/mod.ts";
import type { CollectionSpec } from "../lib/spec/mod.ts";
import { Btf } from "../lib/btf/mod.ts";
import { BTF_SECTION, ElfFile, isElf } from "../lib/elf/mod.ts";
import { UsageError } from "./command.ts";

/**
 * The bytes of a file.
 *
 * @throws {Error} naming the file and why it cannot be read.
 */
export async function readFile(path: string): Promise<Uint8Array> {
  if (path === "") throw new UsageError("an empty file name");
  const { ffiAvailable, readFile } = await import("../ffi/sys/mod.ts");
  if (ffiAvailable()) return readFile(path);
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw new Error(`${path}: reading it needs --allow-ffi or --allow-read`, { cause: error });
    }
    if (error instanceof Deno.errors.NotFound) throw new Error(`${path}: no such file`, { cause: error });
    throw new Error(`${path}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** Reads an object file; its name without directories names its global data maps, as libbpf's do. */
export async function readObject(path: string): Promise<CollectionSpec> {
  return readCollectionSpec(await readFile(path), { name: basename(path) });
}

/** Reads BTF: a raw blob, or the `.BTF` section of any ELF file. */
export async function readBtf(path: string): Promise<Btf> {
  const bytes = await readFile(path);
  if (!isElf(bytes)) return Btf.parse(bytes, { what: path });
  const section = ElfFile.parse(bytes, path).section(BTF_SECTION);
  if (section === undefined) throw new Error(`${path}: has no section "${BTF_SECTION}"`);
  return Btf.parse(section.bytes(), { what: path });
}

/**
 * Objects that are cut short or damaged anywhere: an error of ours that names the object, or a sound reading; never
 * anything else.
 */
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { DebpfError, FormatError } from "../../lib/errors.ts";
import { relocateCollection } from "../../lib/linker/mod.ts";
import { readCollectionSpec } from "../../lib/spec/mod.ts";
import { testdata } from "../support/mod.ts";
import { edited, headerOf, soundObject } from "./bad_files.ts";

const NAME = "small.bpf.o";

/** Reads and links an object as far as it goes; gives the error that ended it. */
function readThrough(bytes: Uint8Array): unknown {
  try {
    const spec = readCollectionSpec(bytes, { name: NAME });
    relocateCollection(spec, { targets: [] });
    return undefined;
  } catch (error) {
    return error;
  }
}

for (const name of ["clang19/truth_tail_call", "clang14/nobtf", "clang19/legacy_maps"]) {
  Deno.test(`readCollectionSpec() refuses each length that is too short, in one line: ${name}`, () => {
    const bytes = testdata(`${name}.bpf.o`);
    for (let length = 0; length < bytes.length; length++) {
      const error = assertThrows(
        () => readCollectionSpec(bytes.subarray(0, length), { name: NAME }),
        FormatError,
        `object "${NAME}": `,
      );
      assert(!error.message.includes("\n"), error.message);
    }
  });
}

Deno.test("readCollectionSpec() reads each length behind the end, too: padding is no error", () => {
  const sound = soundObject();
  const padded = new Uint8Array(sound.length + 64);
  padded.set(sound);
  for (let length = sound.length; length <= padded.length; length++) {
    assertEquals(readThrough(padded.subarray(0, length)), undefined);
  }
});

Deno.test("readCollectionSpec() and relocateCollection() fail with errors of ours only, whatever byte is wrong", () => {
  const sound = soundObject();
  const bytes = sound.slice();
  for (let at = 0; at < sound.length; at++) {
    // One of three wrong values, so that all of them meet every field of the many records of a kind.
    bytes[at] = [0xff, 0, sound[at]! ^ 0x80][at % 3]!;
    const error = readThrough(bytes);
    if (error !== undefined) assertInstanceOf(error, DebpfError, `byte ${at} is ${bytes[at]}: ${error}`);
    bytes[at] = sound[at]!;
  }
});

for (const name of ["clang19/struct_ops", "clang19/arena", "clang22/jump_tables", "clang19/map_contents"]) {
  Deno.test(`readCollectionSpec() and relocateCollection() fail with errors of ours only: bytes of ${name}`, () => {
    const sound = testdata(`${name}.bpf.o`);
    const bytes = sound.slice();
    // Every seventh byte, so that each field of records of 4, 8, 16 and 24 bytes has its turn.
    for (let at = 0; at < sound.length; at += 7) {
      bytes[at] = [0xff, 0, sound[at]! ^ 0x80][at % 3]!;
      const error = readThrough(bytes);
      if (error !== undefined) assertInstanceOf(error, DebpfError, `byte ${at} is ${bytes[at]}: ${error}`);
      bytes[at] = sound[at]!;
    }
  });
}

Deno.test("readCollectionSpec() refuses any section of use whose offset, size, link or info is out of range", () => {
  // struct Elf64_Shdr: offset 24, size 32, link 40, info 44.
  const wrong: [field: string, edit: (view: DataView, header: number) => void][] = [
    ["offset", (view, header) => view.setBigUint64(header + 24, 0xffff_ffff_ffff_ff00n, true)],
    ["size", (view, header) => view.setBigUint64(header + 32, 0x7fff_ffff_ffff_ffffn, true)],
    ["link", (view, header) => view.setUint32(header + 40, 0xffff_fff0, true)],
    ["info", (view, header) => view.setUint32(header + 44, 0xffff_fff0, true)],
  ];
  const fields: Record<string, readonly string[]> = {
    "raw_tp": ["offset", "size"],
    ".relraw_tp": ["offset", "size", "link", "info"],
    ".BTF": ["offset", "size"],
    ".BTF.ext": ["offset", "size"],
    ".symtab": ["offset", "size", "link"],
    ".strtab": ["offset", "size"],
    "license": ["offset", "size"],
    ".maps": ["offset", "size"],
  };
  for (const [section, names] of Object.entries(fields)) {
    const header = headerOf(section);
    for (const [field, edit] of wrong.filter(([field]) => names.includes(field))) {
      const error = readThrough(edited((view) => edit(view, header)));
      assertInstanceOf(error, DebpfError, `section "${section}": wrong ${field} was taken`);
      assert(error.message.startsWith(`object "${NAME}": `), error.message);
    }
  }
});

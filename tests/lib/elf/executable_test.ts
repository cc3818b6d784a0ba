import { assert, assertEquals, assertThrows } from "@std/assert";
import { DebpfError, FormatError, UnsupportedError } from "../../../lib/errors.ts";
import { EM, Executable, SHT } from "../../../lib/elf/mod.ts";
import { testdata } from "../../support/mod.ts";

const bytesOf = (name: string) => testdata(`programs/x86_64/${name}`);
const open = (name: string) => Executable.parse(bytesOf(name), name);

Deno.test("Executable.parse() tells position-independent programs from others", () => {
  assertEquals(open("user_target").relocatable, true);
  assertEquals(open("user_target_exec").relocatable, false);
  assertEquals(open("user_target").machine, EM.X86_64);
});

for (const name of ["user_target", "user_target_exec"]) {
  Deno.test(`Executable.fileOffset() tells where a function of ${name} is in the file`, () => {
    const program = open(name);
    const text = program.section(".text")!;
    const [add, ...others] = program.functions!.named("target_add");
    assertEquals(others, []);
    const offset = program.fileOffset(add!.address)!;
    assertEquals(offset, add!.address - text.address + text.offset);
    assert(program.segmentOf(add!.address)!.executable);
    // What is only zeros in memory is nowhere in the file; what is not loaded has no address.
    const bss = program.section(".bss")!;
    assertEquals(program.fileOffset(bss.address + bss.size - 1), undefined);
    assert(program.segmentOf(bss.address) !== undefined);
    assertEquals(program.segmentOf(0x7fff_ffff_ffff), undefined);
  });
}

Deno.test("FunctionTable.named() gives every function of that name, and no other", () => {
  const { functions, dynamicFunctions } = open("user_target");
  assertEquals(functions!.named("twin").length, 2);
  assertEquals(functions!.named("twi"), []);
  assertEquals(functions!.named("twin_"), []);
  assertEquals(functions!.named("user_counted_semaphore"), [], "a variable is no function");
  assertEquals(functions!.named("target_weak").map(({ weak, indirect }) => [weak, indirect]), [[true, false]]);
  assertEquals(dynamicFunctions!.named("fgets"), [], "it is in the library");
  assert(dynamicFunctions!.imports("fgets"));
  assert(!dynamicFunctions!.imports("fget"));
  const names = new Set(Array.from(functions!.all(), ({ name }) => name));
  for (const name of ["main", "target_add", "target_leaf", "twin_of_other_file"]) assert(names.has(name), name);
});

Deno.test("Executable.buildId is that of the note", () => {
  assert(/^[0-9a-f]{40}$/.test(open("user_target").buildId ?? ""));
  assertEquals(open("user_target").debugLink, undefined);
});

Deno.test("Executable.parse() says what a file is that is no program", () => {
  const refused = (bytes: Uint8Array, error: new (...args: never[]) => DebpfError, words: string) =>
    assertThrows(() => Executable.parse(bytes, '"x"'), error, words);
  refused(new Uint8Array(0), FormatError, '"x": is not an ELF file, so no program or library');
  refused(new TextEncoder().encode("#!/bin/sh\n"), FormatError, "is not an ELF file");
  refused(testdata("clang19/truth.bpf.o"), FormatError, '"x": is an object file, not a program or library');
  const narrow = bytesOf("user_target");
  narrow[4] = 1;
  refused(narrow, UnsupportedError, '"x": is a 32-bit program for x86-64');
  const core = bytesOf("user_target");
  core[16] = 4;
  refused(core, FormatError, "is a core dump");
});

Deno.test("Executable reads a program without section headers: segments are enough for offsets", () => {
  const bytes = bytesOf("user_target");
  const whole = Executable.parse(bytes);
  const address = whole.functions!.named("main")[0]!.address;
  const view = new DataView(bytes.buffer);
  view.setBigUint64(40, 0n, true);
  view.setUint16(60, 0, true);
  const stripped = Executable.parse(bytes);
  assertEquals([stripped.sections.length, stripped.functions, stripped.dynamicFunctions], [0, undefined, undefined]);
  assertEquals(stripped.fileOffset(address), whole.fileOffset(address));
});

Deno.test("Executable survives bytes that were cut or changed: it reads them or throws one of its errors", () => {
  const original = bytesOf("user_target");
  const attempt = (bytes: Uint8Array) => {
    try {
      const program = Executable.parse(bytes, "x");
      for (const { name } of program.functions?.all() ?? []) program.functions!.named(name);
      for (const _ of program.dynamicFunctions?.all() ?? []);
      return [program.buildId, program.debugLink];
    } catch (error) {
      if (!(error instanceof DebpfError)) throw error;
      return undefined;
    }
  };
  for (let length = 0; length < original.length; length += 97) attempt(original.subarray(0, length));
  const sections = Executable.parse(original).sections;
  const places = sections.filter(({ type }) => type !== SHT.PROGBITS && type !== SHT.NOBITS);
  for (const { offset, size } of [{ offset: 0, size: 1024 }, ...places.map(({ offset, size }) => ({ offset, size }))]) {
    for (let at = offset; at < Math.min(offset + size, original.length); at += 13) {
      for (const value of [0, 0xff, original[at]! ^ 0x80]) {
        const bytes = original.slice();
        bytes[at] = value;
        attempt(bytes);
      }
    }
  }
});

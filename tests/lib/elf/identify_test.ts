import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../../../lib/errors.ts";
import { assertBpfObject, ElfFile, EM, ET, isElf } from "../../../lib/elf/mod.ts";
import { makeElf } from "./make_elf.ts";

function refuses(bytes: Uint8Array, message: string): void {
  const error = assertThrows(() => assertBpfObject(ElfFile.parse(bytes, "x.o")), FormatError);
  assertEquals(error.message, message);
}

Deno.test("isElf() looks at the first four bytes", () => {
  assertEquals(isElf(makeElf()), true);
  assertEquals(isElf(new Uint8Array([0x7f, 0x45, 0x4c])), false);
  assertEquals(isElf(new Uint8Array(0)), false);
});

Deno.test("ElfFile.parse() says of an empty file what to do", () => {
  refuses(new Uint8Array(0), "x.o: is empty: compile with clang -target bpf -g -c");
});

Deno.test("ElfFile.parse() says of text that it is not an ELF file, and what to do", () => {
  refuses(
    new TextEncoder().encode("#include <vmlinux.h>"),
    "x.o: is not an ELF file (it starts with 23 69 6e 63): compile C source with clang -target bpf -g -c",
  );
});

Deno.test("ElfFile.parse() names other files by their first bytes", () => {
  refuses(
    new Uint8Array([0x42, 0x43, 0xc0, 0xde, 0]),
    "x.o: is LLVM bitcode: run llc -march=bpf -filetype=obj on it",
  );
  refuses(
    new Uint8Array([0x9f, 0xeb, 1, 0]),
    "x.o: is raw BTF, which holds types only: give the BPF object itself",
  );
  refuses(new TextEncoder().encode("!<arch>\n"), "x.o: is an archive: extract the object with llvm-ar x");
  refuses(new Uint8Array([0x1f, 0x8b, 8]), "x.o: is gzip data: unpack it first");
});

Deno.test("ElfFile.parse() refuses a 32-bit file and names its machine", () => {
  const file = makeElf({ machine: EM.ARM });
  file[4] = 1;
  refuses(
    file,
    "x.o: is a 32-bit ELF file for ARM, not a BPF object (those are 64-bit): compile with clang -target bpf -c",
  );
});

Deno.test("ElfFile.parse() refuses an unknown class, byte order and version", () => {
  for (const [at, value, start] of [[4, 3, "unknown ELF class 3"], [5, 0, "unknown byte order 0"]] as const) {
    const file = makeElf();
    file[at] = value;
    assertThrows(() => ElfFile.parse(file, "x.o"), FormatError, `x.o: ${start} at offset ${at}`);
  }
  const file = makeElf();
  file[6] = 2;
  assertThrows(() => ElfFile.parse(file, "x.o"), FormatError, "x.o: unknown ELF version 2 at offset 6, not 1");
});

Deno.test("ElfFile.parse() says of a few bytes of ELF that they are too few", () => {
  refuses(makeElf().slice(0, 10), "x.o: is truncated: its 10 bytes do not hold an ELF header");
  refuses(makeElf().slice(0, 63), "x.o: ELF header at offset 0 (64 bytes) lies outside its 63 bytes");
});

Deno.test("assertBpfObject() names machine and type of other files", () => {
  refuses(
    makeElf({ type: ET.EXEC, machine: EM.X86_64 }),
    "x.o: is an executable for x86-64, not a BPF object: compile with clang -target bpf -c",
  );
  refuses(
    makeElf({ type: ET.REL, machine: EM.AARCH64 }),
    "x.o: is an object for AArch64, not a BPF object: compile with clang -target bpf -c",
  );
  refuses(
    makeElf({ type: ET.DYN, machine: 4242 }),
    "x.o: is an executable or shared library for machine 4242, not a BPF object: compile with clang -target bpf -c",
  );
});

Deno.test("assertBpfObject() refuses a linked BPF file", () => {
  refuses(
    makeElf({ type: ET.EXEC, machine: EM.BPF }),
    "x.o: is an executable for BPF, not a relocatable BPF object: compile with clang -target bpf -c, without linking",
  );
});

Deno.test("assertBpfObject() takes objects without a machine, as old compilers made them", () => {
  assertBpfObject(ElfFile.parse(makeElf({ machine: EM.NONE })));
});

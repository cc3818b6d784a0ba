import { assert, assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../../../lib/errors.ts";
import { decode } from "../../../lib/asm/mod.ts";
import { assertBpfObject, ElfFile, EM, ET, RBPF, SHF, SHT, STT } from "../../../lib/elf/mod.ts";
import { makeElf, stringTable, symbolTable } from "./make_elf.ts";
import { smallObject } from "./small_object.ts";

for (const order of ["little", "big"] as const) {
  Deno.test(`ElfFile.parse() reads a ${order}-endian object of clang`, () => {
    const elf = ElfFile.parse(smallObject(order), 'object "small.o"');
    assertBpfObject(elf);
    assertEquals([elf.order, elf.type, elf.machine, elf.what], [order, ET.REL, EM.BPF, 'object "small.o"']);
    assertEquals(elf.sections.map(({ name }) => name), [
      "",
      ".strtab",
      ".text",
      ".rel.text",
      "socket",
      ".relsocket",
      ".rodata",
      ".maps",
      ".bss",
      "license",
      ".llvm_addrsig",
      ".symtab",
    ]);
    const socket = elf.section("socket")!;
    assertEquals(
      [socket.index, socket.type, socket.flags, socket.size, socket.alignment],
      [4, SHT.PROGBITS, SHF.ALLOC | SHF.EXECINSTR, 192, 8],
    );
    assertEquals(decode(socket.bytes(), elf.order).length, 21);
    assertEquals(new TextDecoder().decode(elf.section("license")!.bytes()), "MIT\0");
    assertEquals([elf.section(".bss")!.size, elf.section(".bss")!.bytes().length], [4, 0]);
    assertEquals(elf.section("nothing"), undefined);
  });

  Deno.test(`ElfFile.symbols has the symbols of a ${order}-endian object`, () => {
    const elf = ElfFile.parse(smallObject(order));
    assertEquals(
      elf.symbols.map(({ name, binding, type, sectionIndex, size }) => [name, binding, type, sectionIndex, size]),
      [
        ["", "local", STT.NOTYPE, 0, 0],
        [".text", "local", STT.SECTION, 2, 0],
        ["twice", "local", STT.FUNC, 2, 64],
        ["count", "global", STT.FUNC, 4, 192],
        ["counts", "global", STT.OBJECT, 7, 32],
        ["limit", "global", STT.OBJECT, 6, 4],
        ["total", "global", STT.OBJECT, 8, 4],
        ["_license", "global", STT.OBJECT, 9, 4],
      ],
    );
    assertEquals(elf.symbols[3]!.section, elf.section("socket"));
    assertEquals(elf.symbols[0]!.section, undefined);
  });

  Deno.test(`ElfFile.relocations() has those of a ${order}-endian object`, () => {
    const elf = ElfFile.parse(smallObject(order));
    assertEquals(
      elf.relocations(elf.section("socket")!).map(({ offset, type, symbol }) => [offset, type, symbol.name]),
      [[32, RBPF.R64_64, "counts"], [72, RBPF.R64_64, "limit"], [136, RBPF.R64_64, "total"], [
        176,
        RBPF.R64_32,
        ".text",
      ]],
    );
    assertEquals(elf.relocations(elf.section(".rodata")!), []);
  });
}

Deno.test("ElfFile.parse() takes a file without sections", () => {
  const file = makeElf({ type: ET.EXEC, machine: EM.X86_64 }).slice(0, 64);
  new DataView(file.buffer).setBigUint64(40, 0n, true);
  const elf = ElfFile.parse(file);
  assertEquals([elf.sections.length, elf.symbols.length, elf.section("")], [0, 0, undefined]);
});

Deno.test("ElfFile.parse() reads the section count and the name table of a file with extended numbering", () => {
  const elf = ElfFile.parse(makeElf({ extendedNumbering: true, sections: [{ name: "xdp" }] }));
  assertEquals(elf.sections.map(({ name }) => name), ["", "xdp", ".shstrtab"]);
});

Deno.test("ElfFile.parse() refuses a second symbol table", () => {
  const symtab = { name: ".symtab", type: SHT.SYMTAB, bytes: symbolTable([{}]), link: 3, entrySize: 24 };
  const strtab = { name: ".strtab", type: SHT.STRTAB, bytes: stringTable([]).bytes };
  assertThrows(
    () => ElfFile.parse(makeElf({ sections: [symtab, symtab, strtab] }), "x.o"),
    FormatError,
    'x.o: section ".symtab" (index 2) is a second symbol table',
  );
});

Deno.test("ElfFile.parse() refuses relocations of a section that does not exist", () => {
  const rel = { name: ".relxdp", type: SHT.REL, info: 7 };
  assertThrows(
    () => ElfFile.parse(makeElf({ sections: [rel] }), "x.o"),
    FormatError,
    'x.o: section ".relxdp" (index 1) relocates section 7 (sh_info), but there are only 3',
  );
});

/** Reads all that a file has. */
function readAll(bytes: Uint8Array): void {
  const elf = ElfFile.parse(bytes);
  assertBpfObject(elf);
  for (const section of elf.sections) {
    elf.relocations(section);
    if ((section.flags & SHF.EXECINSTR) !== 0) decode(section.bytes(), elf.order);
    else section.bytes();
  }
}

/** Whether reading all of `bytes` works; anything thrown that is not a FormatError is thrown on. */
function isReadable(bytes: Uint8Array): boolean {
  try {
    readAll(bytes);
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

for (const order of ["little", "big"] as const) {
  Deno.test(`ElfFile.parse() of a ${order}-endian object cut at any length works or is a FormatError`, () => {
    const whole = smallObject(order);
    assert(isReadable(whole));
    for (let length = 0; length < whole.length; length++) isReadable(whole.slice(0, length));
    assert(!isReadable(whole.slice(0, whole.length - 1)));
  });

  Deno.test(`ElfFile.parse() of a ${order}-endian object with any bits flipped works or is a FormatError`, () => {
    const whole = smallObject(order);
    let seed = 0x2545f491;
    const random = (below: number) => {
      seed ^= seed << 13;
      seed ^= seed >>> 17;
      seed ^= seed << 5;
      return (seed >>> 0) % below;
    };
    let readable = 0;
    const rounds = 4000;
    for (let round = 0; round < rounds; round++) {
      const bytes = whole.slice();
      for (let flips = 1 + random(8); flips > 0; flips--) bytes[random(bytes.length)]! ^= 1 << random(8);
      if (isReadable(bytes)) readable++;
    }
    assert(readable > 0 && readable < rounds, `${readable} of ${rounds}`);
  });

  Deno.test(`ElfFile.parse() of a ${order}-endian object with any 4 bytes set to ones works or is a FormatError`, () => {
    const whole = smallObject(order);
    for (let at = 0; at + 4 <= whole.length; at++) {
      const bytes = whole.slice();
      bytes.fill(0xff, at, at + 4);
      isReadable(bytes);
    }
  });
}

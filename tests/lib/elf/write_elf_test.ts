import { assertEquals, assertThrows } from "@std/assert";
import {
  ElfFile,
  EM,
  ET,
  type NewElf,
  type NewRelocation,
  type NewSection,
  type NewSymbol,
  RBPF,
  SHF,
  SHN,
  SHT,
  STB,
  STT,
  STV,
  writeElf,
} from "../../../lib/elf/mod.ts";
import { UnsupportedError } from "../../../lib/errors.ts";

function section(name: string, more: Partial<NewSection> = {}): NewSection {
  return {
    name,
    type: SHT.PROGBITS,
    flags: SHF.ALLOC,
    alignment: 1,
    entrySize: 0,
    size: 0,
    fill: () => {},
    relocations: [],
    ...more,
  };
}

function symbol(name: string, more: Partial<NewSymbol> = {}): NewSymbol {
  return {
    name,
    binding: STB.GLOBAL,
    type: STT.OBJECT,
    visibility: STV.DEFAULT,
    section: SHN.UNDEF,
    value: 0,
    size: 0,
    ...more,
  };
}

function file(sections: NewSection[], symbols: NewSymbol[] = [], order: NewElf["order"] = "little"): Uint8Array {
  return writeElf({ order, type: ET.REL, machine: EM.BPF, sections, symbols });
}

for (const order of ["little", "big"] as const) {
  Deno.test(`writeElf() writes what ElfFile reads: ${order}-endian`, () => {
    const relocations: NewRelocation[] = [];
    const first = section(".first", { size: 3, fill: (bytes) => bytes.set([1, 2, 3]) });
    const data = section(".data", {
      flags: SHF.ALLOC | SHF.WRITE,
      alignment: 16,
      entrySize: 4,
      size: 12,
      fill: (bytes) => bytes.fill(7),
      relocations,
    });
    const bss = section(".bss", { type: SHT.NOBITS, size: 2 ** 40 });
    const x = symbol("x", { section: data, value: 4, size: 2 ** 33 });
    const local = symbol("", { binding: STB.LOCAL, type: STT.SECTION, section: data });
    const symbols = [
      x,
      symbol("hidden", { visibility: STV.HIDDEN, binding: STB.WEAK, type: STT.NOTYPE }),
      local,
      symbol("file.c", { binding: STB.LOCAL, type: STT.FILE, section: SHN.ABS }),
    ];
    relocations.push({ offset: 8, type: RBPF.R64_ABS32, symbol: x }, {
      offset: 0,
      type: RBPF.R64_ABS64,
      symbol: local,
    });

    const elf = ElfFile.parse(file([first, data, bss], symbols, order));
    assertEquals([elf.order, elf.type, elf.machine], [order, ET.REL, EM.BPF]);
    assertEquals(
      elf.sections.map(({ name, type, size, alignment, entrySize }) => [name, type, size, alignment, entrySize]),
      [
        ["", SHT.NULL, 0, 0, 0],
        [".first", SHT.PROGBITS, 3, 1, 0],
        [".data", SHT.PROGBITS, 12, 16, 4],
        [".bss", SHT.NOBITS, 2 ** 40, 1, 0],
        [".rel.data", SHT.REL, 32, 8, 16],
        [".symtab", SHT.SYMTAB, 120, 8, 24],
        [".strtab", SHT.STRTAB, elf.section(".strtab")!.size, 1, 0],
      ],
    );
    assertEquals(elf.section(".data")!.flags, SHF.ALLOC | SHF.WRITE);
    assertEquals(elf.section(".data")!.offset % 16, 0);
    assertEquals([...elf.section(".first")!.bytes()], [1, 2, 3]);
    assertEquals(new Set(elf.section(".data")!.bytes()), new Set([7]));
    assertEquals(elf.symbols.slice(1).map(({ name, binding, type, visibility }) => [name, binding, type, visibility]), [
      [".data", "local", STT.SECTION, STV.DEFAULT],
      ["file.c", "local", STT.FILE, STV.DEFAULT],
      ["x", "global", STT.OBJECT, STV.DEFAULT],
      ["hidden", "weak", STT.NOTYPE, STV.HIDDEN],
    ]);
    assertEquals([elf.symbols[3]!.value, elf.symbols[3]!.size, elf.symbols[3]!.section?.name], [4, 2 ** 33, ".data"]);
    assertEquals(elf.symbols[2]!.sectionIndex, SHN.ABS);
    assertEquals(elf.section(".symtab")!.info, 3);
    assertEquals(
      elf.relocations(elf.section(".data")!).map(({ offset, type, symbol }) => [offset, type, symbol.name]),
      [
        [0, RBPF.R64_ABS64, ".data"],
        [8, RBPF.R64_ABS32, "x"],
      ],
    );
  });
}

Deno.test("writeElf() writes a file of nothing", () => {
  const elf = ElfFile.parse(file([]));
  assertEquals(elf.sections.map(({ name }) => name), ["", ".symtab", ".strtab"]);
  assertEquals([elf.symbols.length, elf.section(".symtab")!.info], [1, 1]);
});

Deno.test("writeElf() refuses more sections than indices", () => {
  const many = Array.from({ length: 0xff00 - 2 }, () => section(".x"));
  assertThrows(() => file(many), UnsupportedError, "65280 sections are more than an object can have");
});

import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../../../lib/errors.ts";
import { ElfFile, SHN, SHT, STB, STT, STV } from "../../../lib/elf/mod.ts";
import { makeElf, type SectionPlan, stringTable, type SymbolPlan, symbolTable } from "./make_elf.ts";

const strings = stringTable(["handle", "first"]);
const XDP: SectionPlan = { name: "xdp", bytes: new Uint8Array(16) };
const STRTAB: SectionPlan = { name: ".strtab", type: SHT.STRTAB, bytes: strings.bytes };

/** An object of the sections xdp, .strtab, .symtab and others. */
function objectOf(symbols: readonly SymbolPlan[], symtab: Partial<SectionPlan> = {}, others: SectionPlan[] = []) {
  const table = { name: ".symtab", type: SHT.SYMTAB, bytes: symbolTable(symbols), link: 2, entrySize: 24, ...symtab };
  return makeElf({ sections: [XDP, STRTAB, table, ...others] });
}

function refuses(file: Uint8Array, message: string): void {
  assertEquals(assertThrows(() => ElfFile.parse(file, "x.o"), FormatError).message, message);
}

Deno.test("ElfFile.symbols has binding, type, visibility, place and size", () => {
  const elf = ElfFile.parse(objectOf([
    {},
    {
      name: strings.offsetOf("handle"),
      info: STB.WEAK << 4 | STT.FUNC,
      other: STV.HIDDEN,
      shndx: 1,
      value: 8,
      size: 8,
    },
  ]));
  const { section, ...symbol } = elf.symbols[1]!;
  assertEquals(symbol, {
    index: 1,
    name: "handle",
    binding: "weak",
    rawBinding: STB.WEAK,
    type: STT.FUNC,
    visibility: STV.HIDDEN,
    sectionIndex: 1,
    value: 8,
    size: 8,
  });
  assertEquals(section?.name, "xdp");
});

Deno.test("ElfFile.symbols has bindings that only some systems know", () => {
  const elf = ElfFile.parse(objectOf([{ info: STB.GNU_UNIQUE << 4, shndx: 1 }]));
  assertEquals([elf.symbols[0]!.binding, elf.symbols[0]!.rawBinding], ["other", STB.GNU_UNIQUE]);
});

Deno.test("ElfFile.symbols names a section symbol like its section", () => {
  const elf = ElfFile.parse(objectOf([{ info: STT.SECTION, shndx: 1 }]));
  assertEquals(elf.symbols[0]!.name, "xdp");
});

Deno.test("ElfFile.symbols has no section for absolute, common and undefined symbols", () => {
  const elf = ElfFile.parse(objectOf([{ shndx: SHN.ABS }, { shndx: SHN.COMMON }, { shndx: SHN.UNDEF }]));
  assertEquals(elf.symbols.map(({ section }) => section), [undefined, undefined, undefined]);
  assertEquals(elf.symbols.map(({ sectionIndex }) => sectionIndex), [SHN.ABS, SHN.COMMON, SHN.UNDEF]);
});

Deno.test("ElfFile.symbols takes section indices from SHT_SYMTAB_SHNDX", () => {
  const indices: SectionPlan = {
    name: ".symtab_shndx",
    type: SHT.SYMTAB_SHNDX,
    bytes: new Uint8Array([0, 0, 0, 0, 1, 0, 0, 0]),
    link: 3,
  };
  const elf = ElfFile.parse(objectOf([{}, { shndx: SHN.XINDEX }], {}, [indices]));
  assertEquals(elf.symbols[1]!.section?.name, "xdp");
  refuses(
    objectOf([{}, { shndx: SHN.XINDEX }]),
    'x.o: section ".symtab" (index 3): symbol 1 has its section index in an SHT_SYMTAB_SHNDX section, which is missing',
  );
  refuses(
    objectOf([{}, {}, { shndx: SHN.XINDEX }], {}, [indices]),
    'x.o: section ".symtab_shndx" (index 4): section index of symbol 2 at offset 8 (4 bytes) lies outside its 8 bytes',
  );
});

Deno.test("ElfFile.parse() refuses a symbol in a section that does not exist", () => {
  refuses(
    objectOf([{}, { shndx: 9 }]),
    'x.o: section ".symtab" (index 3): symbol 1 at offset 24 lies in section 9, but there are only 5',
  );
});

Deno.test("ElfFile.parse() refuses a symbol name outside the string table or without an end", () => {
  refuses(
    objectOf([{ name: 500, shndx: 1 }]),
    'x.o: section ".strtab" (index 2): name of symbol 0 at offset 500 (1 bytes) lies outside its 14 bytes',
  );
  const cut = { ...STRTAB, bytes: strings.bytes.slice(0, -1) };
  const table = { name: ".symtab", type: SHT.SYMTAB, bytes: symbolTable([{ name: 8 }]), link: 2, entrySize: 24 };
  refuses(
    makeElf({ sections: [XDP, cut, table] }),
    'x.o: section ".strtab" (index 2): name of symbol 0 at offset 8 has no terminating NUL',
  );
});

Deno.test("ElfFile.parse() refuses a symbol table of odd size or without a string table", () => {
  refuses(
    objectOf([{}], { entrySize: 16 }),
    'x.o: section ".symtab" (index 3): 24 bytes in symbols of 16 bytes: a symbol has 24',
  );
  refuses(
    objectOf([], { bytes: new Uint8Array(30) }),
    'x.o: section ".symtab" (index 3): 30 bytes in symbols of 24 bytes: a symbol has 24',
  );
  for (const link of [0, 1, 77]) {
    refuses(
      objectOf([{}], { link }),
      `x.o: section ".symtab" (index 3): sh_link names section ${link}, which is no string table`,
    );
  }
});

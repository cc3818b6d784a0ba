import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../../../lib/errors.ts";
import { ElfFile, RBPF, SHF, SHT } from "../../../lib/elf/mod.ts";
import { makeElf, type RelocationPlan, relocationTable, type SectionPlan, symbolTable } from "./make_elf.ts";

/** An object of the sections target, .strtab, .symtab (of two symbols) and one of relocations. */
function objectOf(
  entries: readonly RelocationPlan[],
  relocations: Partial<SectionPlan> = {},
  flags: number = SHF.EXECINSTR,
): ElfFile {
  const rela = entries.some(({ addend }) => addend !== undefined);
  return ElfFile.parse(
    makeElf({
      sections: [
        { name: "target", flags, bytes: new Uint8Array(32) },
        { name: ".strtab", type: SHT.STRTAB, bytes: new Uint8Array(1) },
        { name: ".symtab", type: SHT.SYMTAB, bytes: symbolTable([{}, {}]), link: 2, entrySize: 24 },
        {
          name: ".reltarget",
          type: rela ? SHT.RELA : SHT.REL,
          bytes: relocationTable(entries),
          link: 3,
          info: 1,
          entrySize: rela ? 24 : 16,
          ...relocations,
        },
      ],
    }),
    "x.o",
  );
}

function refuses(elf: ElfFile, message: string): void {
  assertEquals(assertThrows(() => elf.relocations(elf.section("target")!), FormatError).message, message);
}

Deno.test("ElfFile.relocations() sorts by offset", () => {
  const elf = objectOf([{ offset: 16, type: RBPF.R64_32, symbol: 1 }, { offset: 0, type: RBPF.R64_64 }]);
  assertEquals(
    elf.relocations(elf.section("target")!),
    [{ offset: 0, type: 1, symbol: elf.symbols[0]! }, { offset: 16, type: 10, symbol: elf.symbols[1]! }],
  );
});

Deno.test("ElfFile.relocations() has the addend of RELA, which may be negative", () => {
  const elf = objectOf([{ offset: 8, type: RBPF.R64_ABS64, symbol: 1, addend: -24n }]);
  assertEquals(elf.relocations(elf.section("target")!)[0]!.addend, -24);
});

Deno.test("ElfFile.relocations() refuses a symbol that does not exist", () => {
  refuses(
    objectOf([{ offset: 0, symbol: 1 }, { offset: 0, symbol: 2 }]),
    'x.o: section ".reltarget" (index 4): relocation at offset 16 names symbol 2, but there are only 2',
  );
});

Deno.test("ElfFile.relocations() refuses a place outside of the section", () => {
  refuses(
    objectOf([{ offset: 24, type: RBPF.R64_64 }]),
    'x.o: section ".reltarget" (index 4): relocation at offset 0 changes 16 bytes at offset 24 of section "target" (index 1), which has 32',
  );
  refuses(
    objectOf([{ offset: 29, type: RBPF.R64_ABS32 }]),
    'x.o: section ".reltarget" (index 4): relocation at offset 0 changes 4 bytes at offset 29 of section "target" (index 1), which has 32',
  );
});

Deno.test("ElfFile.relocations() counts 8 bytes of data where instructions have 16", () => {
  const elf = objectOf([{ offset: 24, type: RBPF.R64_64 }, { offset: 28, type: RBPF.R64_32 }], {}, 0);
  assertEquals(elf.relocations(elf.section("target")!).length, 2);
});

Deno.test("ElfFile.relocations() refuses entries of another size", () => {
  refuses(
    objectOf([{ offset: 0 }], { entrySize: 24 }),
    'x.o: section ".reltarget" (index 4): 16 bytes in relocations of 24 bytes: one has 16',
  );
  refuses(
    objectOf([], { bytes: new Uint8Array(20) }),
    'x.o: section ".reltarget" (index 4): 20 bytes in relocations of 16 bytes: one has 16',
  );
});

Deno.test("ElfFile.relocations() refuses a section that names another symbol table", () => {
  refuses(
    objectOf([{ offset: 0 }], { link: 2 }),
    'x.o: section ".reltarget" (index 4): sh_link names section 2, which is not the symbol table',
  );
});

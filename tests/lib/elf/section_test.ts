import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../../../lib/errors.ts";
import { ElfFile, ET, SHF, SHT } from "../../../lib/elf/mod.ts";
import { makeElf } from "./make_elf.ts";

/** Offset of the section header table. */
function tableOf(file: Uint8Array): number {
  return Number(new DataView(file.buffer).getBigUint64(40, true));
}

function refuses(file: Uint8Array, message: string): void {
  assertEquals(assertThrows(() => ElfFile.parse(file, "x.o"), FormatError).message, message);
}

Deno.test("Section.bytes() is a window on the file", () => {
  const file = makeElf({ sections: [{ name: "xdp", bytes: new Uint8Array([1, 2, 3]) }] });
  const bytes = ElfFile.parse(file).section("xdp")!.bytes();
  assertEquals(bytes, new Uint8Array([1, 2, 3]));
  assertEquals(bytes.buffer, file.buffer);
});

Deno.test("Section.bytes() refuses a compressed section, which nobody has to read", () => {
  const elf = ElfFile.parse(
    makeElf({ sections: [{ name: ".debug_info", flags: SHF.COMPRESSED, bytes: new Uint8Array(8) }] }),
    "x.o",
  );
  assertThrows(
    () => elf.section(".debug_info")!.bytes(),
    FormatError,
    'x.o: section ".debug_info" (index 1) is compressed: compile without -gz',
  );
});

Deno.test("ElfFile.parse() refuses a section whose bytes lie outside the file, and names it", () => {
  refuses(
    makeElf({ sections: [{ name: "xdp", offset: 100, size: 1000 }] }),
    'x.o: section "xdp" (index 1) at offset 100 (1000 bytes) lies outside its 272 bytes',
  );
  refuses(
    makeElf({ sections: [{ name: "xdp", offset: 2 ** 52, size: 8 }] }),
    'x.o: section "xdp" (index 1) at offset 4503599627370496 (8 bytes) lies outside its 272 bytes',
  );
});

Deno.test("ElfFile.parse() does not look for the bytes of .bss", () => {
  const elf = ElfFile.parse(makeElf({ sections: [{ name: ".bss", type: SHT.NOBITS, offset: 5000, size: 4096 }] }));
  assertEquals([elf.section(".bss")!.size, elf.section(".bss")!.bytes().length], [4096, 0]);
});

Deno.test("ElfFile.parse() refuses overlapping sections of an object", () => {
  const plan = { sections: [{ name: "a", bytes: new Uint8Array(16) }, { name: "b", offset: 72, size: 8 }] };
  refuses(
    makeElf(plan),
    'x.o: section "b" (index 2) at offset 72 overlaps section "a" (index 1) (offset 64, 16 bytes)',
  );
  assertEquals(ElfFile.parse(makeElf({ ...plan, type: ET.EXEC })).sections.length, 4);
});

Deno.test("ElfFile.parse() refuses a section header table outside the file", () => {
  const far = makeElf();
  new DataView(far.buffer).setBigUint64(40, 0xffff_ffff_ffff_fff0n, true);
  assertThrows(() => ElfFile.parse(far, "x.o"), FormatError, "x.o: section header 0 at offset 18446744073709552000");
  const many = makeElf();
  new DataView(many.buffer).setUint16(60, 0xfeff, true);
  assertThrows(() => ElfFile.parse(many, "x.o"), FormatError, "x.o: table of 65279 section headers at offset");
  const huge = makeElf({ extendedNumbering: true });
  new DataView(huge.buffer).setBigUint64(tableOf(huge) + 32, 2n ** 40n, true);
  assertThrows(() => ElfFile.parse(huge, "x.o"), FormatError, "x.o: table of 1099511627776 section headers");
});

Deno.test("ElfFile.parse() refuses section headers of another size", () => {
  const file = makeElf();
  new DataView(file.buffer).setUint16(58, 40, true);
  refuses(file, "x.o: section headers of 40 bytes (e_shentsize at offset 58), not 64");
});

Deno.test("ElfFile.parse() refuses a name table that is none", () => {
  refuses(
    makeElf({ nameTable: 9 }),
    "x.o: the section name table is section 9 (e_shstrndx at offset 62), but there are only 2",
  );
  refuses(
    makeElf({ nameTable: 9, extendedNumbering: true }),
    "x.o: the section name table is section 9 (e_shstrndx at offset 62), but there are only 2",
  );
  const plan = { sections: [{ name: "xdp", bytes: new Uint8Array(8) }], nameTable: 1 };
  assertThrows(() => ElfFile.parse(makeElf(plan), "x.o"), FormatError, "section 1, the section name table, has type 1");
});

Deno.test("ElfFile.parse() refuses a section name that has no end or no beginning", () => {
  const plan = { sections: [{ name: "xdp" }] };
  const file = makeElf(plan);
  // The name table is "\0xdp\0.shstrtab\0": cut its last NUL off.
  new DataView(file.buffer).setBigUint64(tableOf(file) + 2 * 64 + 32, 14n, true);
  refuses(file, "x.o: section 2, the section name table: name of section 2 at offset 5 has no terminating NUL");
  const outside = makeElf(plan);
  new DataView(outside.buffer).setUint32(tableOf(outside) + 64, 99, true);
  refuses(
    outside,
    "x.o: section 2, the section name table: name of section 1 at offset 99 (1 bytes) lies outside its 15 bytes",
  );
});

Deno.test("ElfFile.parse() refuses names too long to be names", () => {
  assertThrows(
    () => ElfFile.parse(makeElf({ sections: [{ name: "x".repeat(5000) }] }), "x.o"),
    FormatError,
    "name of section 1 at offset 1 is longer than 4096 bytes",
  );
});

Deno.test("ElfFile.section() is the first of several of a name", () => {
  const elf = ElfFile.parse(makeElf({ sections: [{ name: "a" }, { name: "a" }] }));
  assertEquals(elf.section("a")!.index, 1);
});

import { assert, assertEquals } from "@std/assert";
import { decode, SOURCE } from "../../../lib/asm/mod.ts";
import { Btf, BtfBuilder, ExtInfos, FUNC_INFO, marshalExtInfos } from "../../../lib/btf/mod.ts";
import { ElfFile } from "../../../lib/elf/mod.ts";
import { inRepository, testdata } from "../../support/mod.ts";

/** The objects that clang built with BTF, as `[name, ELF]`. */
function* objects(): Iterable<[string, ElfFile]> {
  for (const folder of ["clang14", "clang19"]) {
    for (const { name } of Deno.readDirSync(inRepository("testdata", folder))) {
      if (!name.endsWith(".o")) continue;
      const elf = ElfFile.parse(testdata(`${folder}/${name}`), name);
      if (elf.section(".BTF") !== undefined) yield [`${folder}/${name}`, elf];
    }
  }
}

function readBtf(elf: ElfFile): { btf: Btf; infos: ExtInfos } {
  const btf = Btf.parse(elf.section(".BTF")?.bytes() ?? new Uint8Array(), { what: 'section ".BTF"' });
  return { btf, infos: ExtInfos.parse(elf.section(".BTF.ext")?.bytes() ?? new Uint8Array(), btf) };
}

Deno.test("ExtInfos of clang's objects: every info has its instruction, and comes back when marshalled", () => {
  let count = 0;
  for (const [name, elf] of objects()) {
    const { infos } = readBtf(elf);
    for (const [section, { funcs, lines }] of infos.sections) {
      const bytes = elf.section(section)?.bytes();
      assert(bytes !== undefined, `${name}: ${section}`);
      // Lenient: objects made to have gaps between functions have zeros there.
      const insns = infos.assign(section, decode(bytes, elf.order, { lenient: true }));
      const marshalled = marshalExtInfos(insns, new BtfBuilder({ order: elf.order }));
      assertEquals([marshalled.funcInfoCount, marshalled.lineInfoCount], [funcs.length, lines.length], name);
      const named = insns.flatMap((insn) => insn.get(FUNC_INFO)?.name ?? []);
      assertEquals(named, funcs.toSorted((a, b) => a.insnIndex - b.insnIndex).map((info) => info.func.name));
      for (const insn of insns) assert(insn.get(SOURCE)?.file !== "", name);
      count++;
    }
  }
  assert(count > 50, `only ${count} sections`);
});

Deno.test("Btf of clang's objects: every function symbol is found by its name", () => {
  const FUNC = 2;
  for (const [name, elf] of objects()) {
    const { btf } = readBtf(elf);
    for (const symbol of elf.symbols.filter((symbol) => symbol.type === FUNC && symbol.sectionIndex !== 0)) {
      assertEquals(btf.find(symbol.name)?.name, symbol.name, name);
    }
  }
});

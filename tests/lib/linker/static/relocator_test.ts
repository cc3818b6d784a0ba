import { assertEquals, assertThrows } from "@std/assert";
import { decode, Instruction, LABEL } from "../../../../lib/asm/mod.ts";
import { RBPF, SHF, STB, STT } from "../../../../lib/elf/mod.ts";
import { LinkError } from "../../../../lib/errors.ts";
import { linkObjects } from "../../../../lib/linker/static/mod.ts";
import { JUMP_TABLE, readCollectionSpec } from "../../../../lib/spec/mod.ts";
import { testdata } from "../../../support/mod.ts";
import { code, func, type TestRelocation, type TestSymbol } from "../../spec/object_builder.ts";
import { EXIT, Linked, made, MOV } from "./objects.ts";

const call = (imm: number) => Instruction.of({ opcode: 0x85, src: 1, imm });
const load = (imm: number) => Instruction.of({ opcode: 0x18, dst: 1, imm });
const DATA = { name: ".data", flags: SHF.ALLOC | SHF.WRITE };
const sectionSymbol = (section: string): TestSymbol => ({
  name: section,
  type: STT.SECTION,
  binding: STB.LOCAL,
  section,
});

/** What comes before in sections .text (3 instructions) and .data (16 bytes). */
const before = made("before.o", {
  sections: [code(".text", [MOV, MOV, EXIT]), { ...DATA, bytes: new Uint8Array(16) }],
});

Deno.test("relocations move with code, and those against sections with what they refer to", () => {
  const object = made("a.o", {
    sections: [code(".text", [call(-1), call(1), load(4), EXIT]), { ...DATA, bytes: new Uint8Array(8) }],
    symbols: [
      sectionSymbol(".text"),
      sectionSymbol(".data"),
      func("f", ".text", 5, 0, STB.LOCAL),
      { name: "x", type: STT.OBJECT, binding: STB.LOCAL, section: ".data", value: 4, size: 4 },
    ],
    relocations: [
      { section: ".text", offset: 0, symbol: "f", type: RBPF.R64_32 },
      { section: ".text", offset: 8, symbol: ".text", type: RBPF.R64_32 },
      { section: ".text", offset: 16, symbol: ".data" },
    ],
  });
  const linked = new Linked([before, object]);
  const insns = decode(linked.section(".text"), "little");
  // The call by name keeps its -1, that of slot 2 is now one of slot 5; the load of .data + 4 is one of .data + 20.
  assertEquals(insns.slice(3, 6).map(({ imm }) => imm), [-1, 4, 20]);
  assertEquals(linked.symbol("x").value, 20);
  assertEquals(linked.symbol("f").value, 24 + 40);
  const relocations = linked.elf.relocations(linked.elf.section(".text")!);
  assertEquals(relocations.map(({ offset, type, symbol }) => [offset, type, symbol.name]), [
    [24, RBPF.R64_32, "f"],
    [32, RBPF.R64_32, ".text"],
    [40, RBPF.R64_64, ".data"],
  ]);
});

Deno.test("relocations of data against sections change the data", () => {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, 8n, true);
  view.setUint32(8, 4, true);
  const object = made("a.o", {
    sections: [{ ...DATA, bytes }],
    symbols: [sectionSymbol(".data")],
    relocations: [
      { section: ".data", offset: 0, symbol: ".data", type: RBPF.R64_ABS64 },
      { section: ".data", offset: 8, symbol: ".data", type: RBPF.R64_ABS32 },
    ],
  });
  const data = new Linked([before, object]).section(".data");
  const after = new DataView(data.buffer, data.byteOffset + 16);
  assertEquals([after.getBigUint64(0, true), after.getUint32(8, true), after.getUint32(12, true)], [24n, 20, 0]);
});

Deno.test("jump tables move with the code that uses them", () => {
  const table = new Uint8Array(BigUint64Array.of(8n, 16n, 24n).buffer);
  const object = (name: string) =>
    made(name, {
      sections: [code(".text", [load(0), MOV, EXIT]), { name: ".jumptables", flags: SHF.ALLOC, bytes: table }],
      symbols: [{ name: "BPF.JT.0.0", type: STT.OBJECT, section: ".jumptables", value: 0, size: 24 }],
      relocations: [{ section: ".text", offset: 0, symbol: "BPF.JT.0.0" }],
    });
  const linked = new Linked([object("a.o"), object("b.o")]);
  const bytes = linked.section(".jumptables").slice();
  assertEquals([...new BigUint64Array(bytes.buffer)], [8n, 16n, 24n, 40n, 48n, 56n]);
  // clang calls the first table of every object the same.
  const tables = linked.elf.symbols.filter(({ name }) => name === "BPF.JT.0.0");
  assertEquals(tables.map(({ binding, value }) => [binding, value]), [["local", 0], ["local", 24]]);
});

Deno.test("jump tables of clang 22 name the same places, wherever their code has gone", () => {
  const clang = { name: "tables.o", bytes: testdata("clang22/jump_tables.bpf.o") };
  const other = made("other.o", {
    sections: [code(".text", [MOV, EXIT]), code("raw_tp", [MOV, MOV, EXIT])],
    symbols: [func("other", "raw_tp", 0, 3)],
  });
  const tables = (bytes: Uint8Array) => {
    const { programs, functions } = readCollectionSpec(bytes);
    const found = [...programs.values(), ...functions].map(({ label, instructions }) => {
      const targets = instructions.flatMap((insn) => insn.get(JUMP_TABLE)?.targets ?? []);
      return [
        label.name,
        targets.map((target) => instructions.findIndex((insn) => insn.get(LABEL) === target)),
      ] as const;
    });
    return found.filter(([, targets]) => targets.length > 0);
  };
  const before = tables(clang.bytes);
  assertEquals(before.length, 3);
  assertEquals(tables(linkObjects([other, clang])), before);
  assertEquals(tables(linkObjects([clang, other])), before);
});

/** An object with one relocation of its only instruction but exit. */
function relocated(insn: Instruction, relocation: Partial<TestRelocation>, symbols: TestSymbol[] = []) {
  return made("a.o", {
    sections: [code("xdp", [insn, EXIT]), { ...DATA, bytes: new Uint8Array(8) }],
    symbols: [sectionSymbol("xdp"), sectionSymbol(".data"), ...symbols],
    relocations: [{ section: "xdp", offset: 0, symbol: ".data", ...relocation }],
  });
}

const BAD: [string, Instruction, Partial<TestRelocation>, string][] = [
  [
    "an addend behind the section",
    load(9),
    {},
    'offset 9 lies outside of section ".data" (index 2), which has 8 bytes',
  ],
  ["an addend before the section", load(-1), {}, "offset -1 lies outside"],
  ["a call behind the section", call(9), { symbol: "xdp", type: RBPF.R64_32 }, "offset 80 lies outside"],
  ["a call of data", call(-1), { type: RBPF.R64_32 }, 'it is called, but section ".data" (index 2) holds data'],
  ["an instruction that refers to nothing", MOV, {}, "an instruction of code 0xb7 cannot have a relocation of type 1"],
  ["a call that is loaded", call(-1), { symbol: "xdp" }, "code 0x85 cannot have a relocation of type 1"],
  ["a place inside of an instruction", load(0), { offset: 4 }, "lies inside of an instruction"],
  ["no symbol", load(0), { symbol: "nobody" }, "refers to a symbol that is not linked"],
  ["an unknown type", load(0), { type: 99 }, "cannot have a relocation of type 99"],
];

for (const [what, insn, relocation, problem] of BAD) {
  Deno.test(`linkObjects() names object, section and symbol of a bad relocation: ${what}`, () => {
    const error = assertThrows(() => linkObjects([relocated(insn, relocation)]), LinkError);
    const { offset = 0, symbol = ".data" } = relocation;
    const name = symbol === "nobody" ? "" : symbol;
    const place = `object "a.o": section "xdp" (index 1): relocation at offset ${offset} (symbol "${name}"): `;
    assertEquals(error.message.slice(0, place.length), place);
    assertEquals(error.message.includes(problem), true, error.message);
  });
}

Deno.test("linkObjects() refuses relocations of data of unknown types, and of sections that are left out", () => {
  const data = (type: number) =>
    made("a.o", {
      sections: [{ ...DATA, bytes: new Uint8Array(8) }],
      symbols: [sectionSymbol(".data")],
      relocations: [{ section: ".data", offset: 0, symbol: ".data", type }],
    });
  assertThrows(() => linkObjects([data(77)]), LinkError, "data cannot have a relocation of type 77");
  const debug = made("a.o", {
    sections: [code("xdp", [load(0), EXIT]), { name: ".debug_str", bytes: new Uint8Array(8) }],
    symbols: [sectionSymbol(".debug_str")],
    relocations: [{ section: "xdp", offset: 0, symbol: ".debug_str" }],
  });
  assertThrows(() => linkObjects([debug]), LinkError, "refers to a symbol that is not linked");
});

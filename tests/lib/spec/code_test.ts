import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { BPF_PSEUDO, Instruction, LABEL, MAP, OPCODE, REFERENCE } from "../../../lib/asm/mod.ts";
import { RBPF, SHF, SHT, STB, STT } from "../../../lib/elf/mod.ts";
import { FormatError, LinkError, UnsupportedError } from "../../../lib/errors.ts";
import { EXTERN, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { buildObject, code, func, type TestRelocation, type TestSection, type TestSymbol } from "./object_builder.ts";

const EXIT = Instruction.of({ opcode: OPCODE.EXIT });
const mov = (imm: number) => Instruction.of({ opcode: OPCODE.MOV64_K, imm });
const call = (imm: number) => Instruction.of({ opcode: OPCODE.CALL, src: BPF_PSEUDO.CALL, imm });
const load = (imm: number) => Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 1, imm });
const TEXT_SYMBOL: TestSymbol = { name: ".text", type: STT.SECTION, binding: STB.LOCAL, section: ".text" };

function read(sections: TestSection[], symbols: TestSymbol[], relocations: TestRelocation[] = []) {
  return readCollectionSpec(buildObject(sections, symbols, relocations), { name: "x.o" });
}

/** A program with one relocation at its first instruction, and three functions in .text: at slots 0, 2 and 5. */
function readWith(insn: Instruction, symbol: TestSymbol, extra: TestSection[] = []) {
  const text = code(".text", [mov(0), EXIT, mov(1), mov(2), EXIT, mov(3), EXIT]);
  const symbols = [
    func("main", "xdp", 0, insn.slots + 1),
    func("a", ".text", 0, 2, STB.LOCAL),
    func("b", ".text", 2, 3, STB.LOCAL),
    func("c", ".text", 5, 2),
  ];
  const known = symbols.some(({ name }) => name === symbol.name) ? symbols : [...symbols, symbol];
  return read([text, code("xdp", [insn, EXIT]), ...extra], known, [
    { section: "xdp", offset: 0, symbol: symbol.name, type: insn.slots === 2 ? RBPF.R64_64 : RBPF.R64_32 },
  ]);
}

Deno.test("readCollectionSpec() splits sections into programs and functions, and drops gaps", () => {
  const spec = read(
    [code(".text", [mov(0), EXIT, mov(99), mov(1), EXIT]), code("xdp", [mov(2), EXIT, mov(3), mov(4), EXIT])],
    [
      func("second", "xdp", 2, 3),
      func("first", "xdp", 0, 2),
      func("f", ".text", 3, 2),
      func("e", ".text", 0, 2, STB.LOCAL),
    ],
  );
  assertEquals([...spec.programs.keys()], ["first", "second"]);
  assertEquals(spec.functions.map(({ label }) => [label.name, label.binding]), [["e", "local"], ["f", "global"]]);
  assertEquals(spec.programs.get("second")!.instructions.map(({ imm }) => imm), [3, 4, 0]);
  assertEquals(spec.functions[1]!.instructions.map(({ imm }) => imm), [1, 0]);
  assertStrictEquals(spec.functions[1]!.instructions[0]!.get(LABEL), spec.functions[1]!.label);
});

Deno.test("readCollectionSpec() resolves calls by symbol, by section and without a relocation", () => {
  const bySymbol = readWith(call(-1), { name: "c" });
  assertStrictEquals(bySymbol.programs.get("main")!.instructions[0]!.get(REFERENCE), bySymbol.functions[2]!.label);
  const bySection = readWith(call(1), TEXT_SYMBOL);
  assertStrictEquals(bySection.programs.get("main")!.instructions[0]!.get(REFERENCE), bySection.functions[1]!.label);
  const first = readWith(call(-1), TEXT_SYMBOL);
  assertStrictEquals(first.programs.get("main")!.instructions[0]!.get(REFERENCE), first.functions[0]!.label);
  const relative = read(
    [code(".text", [mov(0), EXIT, call(-3), call(1), EXIT, mov(1), EXIT])],
    [func("a", ".text", 0, 2), func("b", ".text", 2, 3), func("c", ".text", 5, 2)],
  );
  const [a, b, c] = relative.functions;
  assertStrictEquals(b!.instructions[0]!.get(REFERENCE), a!.label);
  assertStrictEquals(b!.instructions[1]!.get(REFERENCE), c!.label);
});

Deno.test("readCollectionSpec() resolves function pointers by symbol and by section, in bytes", () => {
  for (const [insn, symbol] of [[load(0), { name: "c" }], [load(40), TEXT_SYMBOL]] as const) {
    const spec = readWith(insn, symbol);
    const [first] = spec.programs.get("main")!.instructions;
    assertStrictEquals(first!.get(REFERENCE), spec.functions[2]!.label);
    assertEquals([first!.src, first!.imm, first!.immHigh], [BPF_PSEUDO.FUNC, 0, 0]);
  }
});

Deno.test("readCollectionSpec() turns references to data into map values with an offset", () => {
  const data = { name: ".data", bytes: new Uint8Array(16) };
  for (
    const [insn, symbol] of [
      [load(12), { name: ".data", type: STT.SECTION, binding: STB.LOCAL, section: ".data" }],
      [load(0), { name: "v", type: STT.OBJECT, section: ".data", value: 12, size: 4 }],
      [load(4), { name: "v", type: STT.OBJECT, section: ".data", value: 8, size: 8 }],
    ] as const
  ) {
    const spec = readWith(insn, symbol, [data]);
    const [first] = spec.programs.get("main")!.instructions;
    assertEquals(first!.get(MAP), "x.data");
    assertEquals([first!.src, first!.imm, first!.immHigh], [BPF_PSEUDO.MAP_VALUE, 0, 12]);
    assertEquals(spec.maps.get("x.data")!.valueSize, 16);
  }
});

Deno.test("readCollectionSpec() makes maps of string literals and of .bss", () => {
  const spec = readWith(load(0), { name: "s", type: STT.OBJECT, section: ".rodata.str1.1", size: 6 }, [
    { name: ".rodata.str1.1", bytes: new TextEncoder().encode("hello\0") },
    { name: ".bss", type: SHT.NOBITS, size: 24 },
  ]);
  const strings = spec.maps.get(".rodata.str1.1")!;
  assertEquals([strings.readOnly, strings.flags, strings.data?.length], [true, 0x80, 6]);
  const bss = spec.maps.get("x.bss")!;
  assertEquals([bss.readOnly, bss.flags, bss.data], [false, 0, new Uint8Array(24)]);
});

Deno.test("readCollectionSpec() keeps externs for inspection", () => {
  const extern = readWith(call(-1), { name: "bpf_outside", binding: STB.WEAK });
  const [first] = extern.programs.get("main")!.instructions;
  assertStrictEquals(first!.get(EXTERN), extern.externs.get("bpf_outside"));
  assertEquals(extern.externs.get("bpf_outside")?.weak, true);
  assertEquals(extern.externs.get("bpf_outside")?.kind, "unknown");
});

Deno.test("readCollectionSpec() names object, section and symbol of a relocation that does not hold", () => {
  const data = { name: ".data", bytes: new Uint8Array(16) };
  const dataSymbol = { name: "v", type: STT.OBJECT, section: ".data", size: 16 };
  const place = 'object "x.o": section "xdp" (index 2): relocation at offset 0';
  const cases: [Instruction, TestSymbol, string][] = [
    [call(0), { name: "c" }, `${place} (symbol "c"): no function starts at offset 48`],
    [
      call(2),
      TEXT_SYMBOL,
      `${place} (symbol ".text"): no function starts at offset 24 of section ".text" (index 1), which is inside of "b"`,
    ],
    [call(99), TEXT_SYMBOL, "no function starts at offset 800"],
    [call(-9), TEXT_SYMBOL, "no function starts at offset -64"],
    [load(4), TEXT_SYMBOL, "no function starts at offset 4"],
    [call(-1), dataSymbol, `${place} (symbol "v"): it is called, but section ".data" (index 3) holds data`],
    [load(16), dataSymbol, 'offset 16 lies outside of section ".data" (index 3) (16 bytes)'],
    [load(-4), dataSymbol, "offset -4 lies outside"],
    [mov(0), { name: "c" }, "the instruction (code 0xb7) can refer to nothing"],
    [Instruction.of({ opcode: OPCODE.CALL, imm: 6 }), { name: "c" }, "calls a helper, not a function"],
    [load(0), { name: "local", binding: STB.LOCAL }, "the symbol lies in no section"],
  ];
  for (const [insn, symbol, message] of cases) {
    assertThrows(() => readWith(insn, symbol, [data]), LinkError, message);
  }
  assertThrows(
    () =>
      readWith(load(0), { name: "v", type: STT.OBJECT, section: "other" }, [{
        name: "other",
        bytes: new Uint8Array(8),
      }]),
    LinkError,
    'section "other" (index 3) holds neither functions, maps nor global data',
  );
});

Deno.test("readCollectionSpec() refuses relocations inside of an instruction, twice at one, and relative calls to nowhere", () => {
  const symbols = [func("main", "xdp", 0, 3), func("f", ".text", 0, 1)];
  const sections = [code(".text", [EXIT]), code("xdp", [load(0), EXIT])];
  const relocation = { section: "xdp", symbol: "f", type: RBPF.R64_32 };
  assertThrows(
    () => read(sections, symbols, [{ ...relocation, offset: 8 }]),
    LinkError,
    'relocation at offset 8 (symbol "f") is inside of an instruction',
  );
  assertThrows(
    () => read(sections, symbols, [{ ...relocation, offset: 4 }]),
    LinkError,
    "is inside of an instruction",
  );
  assertThrows(
    () => read(sections, symbols, [{ ...relocation, offset: 0 }, { ...relocation, offset: 0 }]),
    LinkError,
    "is the second of its instruction",
  );
  assertThrows(
    () => read([code(".text", [call(7), EXIT])], [func("f", ".text", 0, 2)]),
    LinkError,
    'section ".text" (index 1): the call at offset 0 goes to offset 64, where no function starts',
  );
});

Deno.test("readCollectionSpec() ignores relocations of code that no function has", () => {
  const spec = read([code(".text", [call(-1), EXIT, mov(1), EXIT])], [func("f", ".text", 2, 2)], [
    { section: ".text", offset: 0, symbol: "f", type: RBPF.R64_32 },
  ]);
  assertEquals(spec.functions.length, 1);
});

Deno.test("readCollectionSpec() refuses functions that overlap, are cut, leave their section or are static programs", () => {
  const text = code(".text", [mov(0), mov(1), EXIT, EXIT]);
  const cases: [TestSymbol[], string][] = [
    [[func("a", ".text", 0, 3), func("b", ".text", 2, 2)], 'function "b" at offset 16 overlaps "a" (offsets 0 to 24)'],
    [[func("a", ".text", 0, 0)], 'function "a" at offset 0 has 0 bytes'],
    [[{ ...func("a", ".text", 0, 1), value: 4 }], 'function "a" at offset 4 has 8 bytes'],
    [[func("a", ".text", 2, 3)], 'function "a" at offset 16 (24 bytes) leaves its section of 32 bytes'],
  ];
  for (const [symbols, message] of cases) {
    assertThrows(() => read([text], symbols), LinkError, `object "x.o": section ".text" (index 1): ${message}`);
  }
  assertThrows(
    () => read([code("xdp", [EXIT])], [func("a", "xdp", 0, 1, STB.LOCAL)]),
    LinkError,
    'function "a" at offset 0 is static',
  );
  assertThrows(
    () => read([code("xdp", [load(0), EXIT])], [func("a", "xdp", 1, 2)]),
    FormatError,
    'section "xdp" (index 1), from offset 0: offset 0: a 64-bit load takes two slots',
  );
  assertThrows(
    () => read([code("xdp", [load(0), EXIT])], [func("a", "xdp", 0, 1)]),
    FormatError,
    'section "xdp" (index 1), function "a": offset 0: a 64-bit load takes two slots',
  );
});

Deno.test("readCollectionSpec() takes alignment between functions, but no unknown instruction in one", () => {
  const padded = code(".text", [EXIT, Instruction.of({ opcode: 0 }), Instruction.of({ opcode: 0 }), EXIT]);
  const spec = read([padded], [func("a", ".text", 0, 1), func("b", ".text", 3, 1)]);
  assertEquals(spec.functions.map(({ instructions }) => instructions.length), [1, 1]);
  assertThrows(
    () => read([padded], [func("a", ".text", 0, 2)]),
    FormatError,
    'object "x.o": section ".text" (index 1), function "a": offset 8: unknown opcode 0x00',
  );
});

Deno.test("readCollectionSpec() takes aliases: two names of one place", () => {
  const spec = read([code("xdp", [mov(0), EXIT])], [func("a", "xdp", 0, 2), func("b", "xdp", 0, 2)]);
  assertEquals([...spec.programs.keys()], ["a", "b"]);
  assertEquals(spec.programs.get("b")!.instructions[0]!.get(LABEL)?.name, "b");
});

Deno.test("readCollectionSpec() says how to migrate legacy maps, and that maps need BTF", () => {
  assertThrows(
    () => read([{ name: "maps", bytes: new Uint8Array(20) }], []),
    UnsupportedError,
    'section "maps" holds legacy map definitions (struct bpf_map_def): declare each map in SEC(".maps")',
  );
  assertThrows(() => read([{ name: ".maps", bytes: new Uint8Array(20) }], []), FormatError, "compile with clang -g");
});

Deno.test("readCollectionSpec() reads license and version", () => {
  const spec = read([
    { name: "license", bytes: new TextEncoder().encode("Dual MIT/GPL\0"), flags: SHF.ALLOC },
    { name: "version", bytes: new Uint8Array([3, 18, 6, 0]) },
  ], []);
  assertEquals([spec.license, spec.kernelVersion, spec.name], ["Dual MIT/GPL", 0x061203, "x"]);
  assertThrows(() => read([{ name: "version", bytes: new Uint8Array(3) }], []), FormatError, "a kernel version has 4");
});

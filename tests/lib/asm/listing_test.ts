import { assertEquals } from "@std/assert";
import {
  decode,
  Instruction,
  LABEL,
  Label,
  listing,
  type ListingOptions,
  MAP,
  REFERENCE,
  SOURCE,
  sourceText,
} from "../../../lib/asm/mod.ts";

const line = (number: number, text: string, column = 1) => ({ file: "src/exec.bpf.c", line: number, column, text });
const twice = new Label("twice");
const PROGRAM = [
  Instruction.of({ opcode: 0x18, dst: 1, src: 1 }).with(LABEL, new Label("count")).with(SOURCE, line(12, "int x = 1;"))
    .with(MAP, "counts"),
  Instruction.of({ opcode: 0x85, src: 1, imm: 2 }).with(REFERENCE, twice).with(SOURCE, line(12, "int x = 1;", 9)),
  Instruction.of({ opcode: 0x95 }).with(SOURCE, line(13, "  return 0;")),
  Instruction.of({ opcode: 0xb7, imm: 2 }).with(LABEL, twice),
  Instruction.of({ opcode: 0x95 }).with(SOURCE, line(12, "int x = 1;")),
];

const textOf = (options?: ListingOptions) => [...listing(PROGRAM, options)].map(({ text }) => text);

Deno.test("listing() has labels, each source line once, slots and names", () => {
  assertEquals(textOf(), [
    "count:",
    "; int x = 1; @ exec.bpf.c:12",
    "   0: (18) r1 = map[counts]",
    "   2: (85) call twice",
    "; return 0; @ exec.bpf.c:13",
    "   3: (95) exit",
    "twice:",
    "   4: (b7) r0 = 2",
    "; int x = 1; @ exec.bpf.c:12",
    "   5: (95) exit",
  ]);
});

Deno.test("listing() says of every line what it is and which slot it belongs to", () => {
  assertEquals([...listing(PROGRAM.slice(2, 4))], [
    { kind: "source", slot: 0, text: "; return 0; @ exec.bpf.c:13" },
    { kind: "instruction", slot: 0, text: "   0: (95) exit" },
    { kind: "label", slot: 1, text: "twice:" },
    { kind: "instruction", slot: 1, text: "   1: (b7) r0 = 2" },
  ]);
});

Deno.test("listing() has the bytes of instructions in the order asked for, and leaves source and opcode out", () => {
  assertEquals(textOf({ opcodes: "big", source: false, opcode: false, firstSlot: 100 }).slice(0, 5), [
    "count:",
    " 100: r1 = map[counts]",
    "       18 11 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
    " 102: call twice",
    "       85 01 00 00 00 00 00 02",
  ]);
});

Deno.test("listing() takes other words for references", () => {
  assertEquals(textOf({ reference: () => undefined, source: false })[1], "   0: (18) r1 = 0x0");
});

Deno.test("sourceText() takes directories and indentation away", () => {
  assertEquals(sourceText({ file: "/a/b/c.h", line: 7, column: 3, text: "\tx++;" }), "; x++; @ c.h:7");
  assertEquals(sourceText({ file: "c.h", line: 7, column: 3, text: "" }), ";  @ c.h:7");
});

Deno.test("listing() shows what is no instruction by its bytes", () => {
  const bytes = Uint8Array.fromHex("f51200ffefbeadde" + "9500000000000000");
  const lines = [...listing(decode(bytes, "little", { lenient: true }))];
  assertEquals(lines.map(({ text }) => text), ["   0: .8byte 0xdeadbeefff0012f5", "   1: (95) exit"]);
});

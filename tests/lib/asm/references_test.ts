import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { assemble, print } from "../../../lib/asm/text/mod.ts";
import {
  copyWithOwnLabels,
  Instruction,
  LABEL,
  Label,
  REFERENCE,
  referenceJumps,
  resolveReferences,
  SOURCE,
} from "../../../lib/asm/mod.ts";
import { LinkError } from "../../../lib/errors.ts";

const exit = Instruction.of({ opcode: 0x95 });
const jump = Instruction.of({ opcode: 0x05 });
const nop = Instruction.of({ opcode: 0xb7 });
const load = Instruction.of({ opcode: 0x18, dst: 1 });

/** Distances of all jumps, calls and function pointers. */
const distances = (insns: readonly Instruction[]) =>
  insns.filter((insn) => insn.get(REFERENCE)).map(({ opcode, offset, imm }) =>
    [0x06, 0x85, 0x18].includes(opcode) ? imm : offset
  );

Deno.test("resolveReferences() finds the targets again after instructions were put in and taken out", () => {
  const insns = assemble(`
    start: r1 = 0x1234
           if r1 == 0x0 goto out
           call f
           r2 = subprog[f]
           goto start
    out:   exit
    f:     exit
  `);
  assertEquals(distances(insns), [4, 4, 3, -7]);
  const longer = [insns[0]!, load, nop, insns[1]!, nop, ...insns.slice(2)];
  assertEquals(distances(resolveReferences(longer)), [5, 4, 3, -11]);
  const shorter = insns.filter((_, index) => index !== 3);
  assertEquals(distances(resolveReferences(shorter)), [2, 2, -5]);
});

Deno.test("resolveReferences() joins programs: each keeps its own labels", () => {
  const a = assemble("r0 = 0\nif r0 == 0x0 goto out\nr0 = 1\nout: r6 = r0");
  const b = assemble("if r1 == 0x0 goto out\nr0 = 2\nout: exit");
  const joined = resolveReferences([...a, ...b]);
  assertEquals(distances(joined), [1, 1]);
  assertEquals(print(joined), print(assemble(print(joined))));
});

Deno.test("resolveReferences() leaves functions elsewhere to the linker", () => {
  const call = Instruction.of({ opcode: 0x85, src: 1, imm: -1 }).with(REFERENCE, new Label("f", "global"));
  assertEquals(resolveReferences([call, exit]), [call, exit]);
});

Deno.test("resolveReferences() finds labels that are seen from outside by name, strong before weak", () => {
  const weak = new Label("f", "weak");
  const call = Instruction.of({ opcode: 0x85, src: 1, imm: -1 }).with(REFERENCE, new Label("f", "global"));
  const both = [call, exit.with(LABEL, weak), exit.with(LABEL, new Label("f", "global"))];
  assertEquals(resolveReferences(both)[0]!.imm, 1);
  assertEquals(resolveReferences(both.slice(0, 2))[0]!.imm, 0);
});

Deno.test("resolveReferences() names both places of a label that stands twice", () => {
  const at = (line: number) => exit.with(SOURCE, { file: "a.c", line, column: 1, text: "" });
  const label = new Label("x");
  const twice = [load, at(3).with(LABEL, label), at(9).with(LABEL, label)];
  assertEquals(
    assertThrows(() => resolveReferences(twice), LinkError).message,
    'instruction 3, a.c:9: label "x" stands here and at instruction 2, a.c:3: give a copy labels of its own',
  );
  const globals = [exit.with(LABEL, new Label("f", "global")), exit.with(LABEL, new Label("f", "global"))];
  assertEquals(
    assertThrows(() => resolveReferences(globals), LinkError).message,
    'instruction 1: global label "f" stands here and another of that name at instruction 0',
  );
});

Deno.test("resolveReferences() names the jump whose label stands nowhere, and the namesake", () => {
  const dangling = [nop, jump.with(REFERENCE, new Label("out")), exit];
  assertEquals(
    assertThrows(() => resolveReferences(dangling), LinkError).message,
    'instruction 1: jumps to label "out", which stands at no instruction',
  );
  assertEquals(
    assertThrows(() => resolveReferences([...dangling, exit.with(LABEL, new Label("out"))]), LinkError).message,
    'instruction 1: jumps to label "out", which stands at no instruction; the label of that name at instruction 3 is another one',
  );
  assertEquals(resolveReferences(dangling, { partial: true }), dangling);
});

/** `first`, then `count` instructions, then the label that it refers to. */
function far(first: Instruction, count: number): Instruction[] {
  const label = new Label("far");
  return [first.with(REFERENCE, label), ...Array(count).fill(nop), exit.with(LABEL, label)];
}

Deno.test("resolveReferences() fits jumps up to 32767 slots, and makes gotol of longer ones where allowed", () => {
  assertEquals(resolveReferences(far(jump, 32_767))[0]!.offset, 32_767);
  assertThrows(() => resolveReferences(far(jump, 32_768)), LinkError, "a jump reaches 32767");
  const [long] = resolveReferences(far(jump, 32_768), { longJumps: true });
  assertEquals([long!.opcode, long!.offset, long!.imm], [0x06, 0, 32_768]);
});

Deno.test("resolveReferences() makes a far conditional jump the opposite one over gotol", () => {
  const text = (first: string, count: number) => {
    const [insn] = assemble(first, {});
    const insns = resolveReferences(far(insn!, count), { longJumps: true });
    return print(insns).split("\n").slice(0, 3).map((line) => line.trim());
  };
  assertEquals(text("if w1 s> 0x7 goto pc+0", 40_000).slice(0, 2), ["if w1 s<= 0x7 goto pc+1", "gotol far"]);
  assertEquals(text("if r1 == r2 goto pc+0", 40_000).slice(0, 2), ["if r1 != r2 goto pc+1", "gotol far"]);
  assertEquals(text("if r1 & r2 goto pc+0", 40_000), ["if r1 & r2 goto pc+1", "goto pc+1", "gotol far"]);
  assertEquals(text("may_goto pc+0", 40_000), ["may_goto pc+1", "goto pc+1", "gotol far"]);
});

Deno.test("resolveReferences() lengthens jumps that other lengthened jumps move apart", () => {
  const [a, b] = [new Label("a"), new Label("b")];
  const conditional = Instruction.of({ opcode: 0x15, dst: 1 });
  const insns = [
    jump.with(REFERENCE, a),
    conditional.with(REFERENCE, b),
    ...Array(32_766).fill(nop),
    exit.with(LABEL, a),
    ...Array(10).fill(nop),
    exit.with(LABEL, b),
  ];
  const resolved = resolveReferences(insns, { longJumps: true });
  assertEquals(resolved.length, insns.length + 1);
  assertEquals([resolved[0]!.opcode, resolved[0]!.imm], [0x06, 32_768]);
  assertEquals(resolved[1 + resolved[0]!.imm]!.get(LABEL), a);
  assertEquals([resolved[1]!.offset, resolved[2]!.imm], [1, 32_777]);
  assertEquals(resolved[3 + resolved[2]!.imm]!.get(LABEL), b);
});

Deno.test("resolveReferences() keeps the metadata of what it lengthens", () => {
  const label = new Label("here");
  const source = { file: "a.c", line: 1, column: 1, text: "" };
  const insns = far(Instruction.of({ opcode: 0x15 }).with(LABEL, label).with(SOURCE, source), 40_000);
  const [first, second] = resolveReferences(insns, { longJumps: true });
  assertEquals([first!.get(LABEL), first!.get(SOURCE), first!.get(REFERENCE)], [label, source, undefined]);
  assertEquals(second!.get(LABEL), undefined);
});

Deno.test("referenceJumps() makes labels of distances; resolveReferences() makes the same distances", () => {
  const insns = assemble(
    "L2: r1 = 0x5\ngoto pc+1\nif r1 == 0x0 goto pc-4\ncall pc+1\ngotol pc-2\nr3 = subprog[-1]\nexit",
  );
  const referenced = referenceJumps(insns);
  assertEquals(referenced.map((insn) => insn.get(REFERENCE)?.name), [
    undefined,
    "L4",
    "L2",
    "L6",
    "L4",
    "L6",
    undefined,
  ]);
  assertEquals(referenced[2]!.get(REFERENCE), referenced[0]!.get(LABEL));
  const shape = (list: readonly Instruction[]) => list.map(({ opcode, offset, imm }) => [opcode, offset, imm]);
  assertEquals(shape(resolveReferences(referenced)), shape(insns));
  assertEquals(referenceJumps(referenced), referenced);
});

Deno.test("referenceJumps() avoids names that are there", () => {
  const referenced = referenceJumps(assemble("L1: goto pc+1\nL2: exit\nexit\ngoto pc-2"));
  assertEquals(referenced.map((insn) => insn.get(LABEL)?.name), ["L1", "L2", "L2_", undefined]);
});

Deno.test("referenceJumps() refuses jumps out of the program and into a 64-bit load", () => {
  const messages = ["goto pc+1\nexit", "goto pc+1\nr1 = 0x5", "call pc-3"].map((text) =>
    assertThrows(() => referenceJumps(assemble(text)), LinkError).message
  );
  assertEquals(messages, [
    "instruction 0: jumps to slot 2, of 2",
    "instruction 0: jumps to slot 2, the second slot of a 64-bit load",
    "instruction 0: refers to slot -2, of 1",
  ]);
});

Deno.test("copyWithOwnLabels() makes a block that can stand twice", () => {
  const loop = assemble("loop: r1 += -1\nif r1 != 0x0 goto loop\ncall f");
  const copy = copyWithOwnLabels(loop);
  assertNotEquals(copy[0]!.get(LABEL) === loop[0]!.get(LABEL), true);
  assertEquals(copy[1]!.get(REFERENCE), copy[0]!.get(LABEL));
  assertEquals(copy[2]!.get(REFERENCE), loop[2]!.get(REFERENCE));
  assertEquals(distances(resolveReferences([...loop, ...copy])), [-2, -1, -2, -1]);
});

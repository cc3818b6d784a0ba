/** Jump tables of linked programs: slots in the whole program, also of programs that are joined. */
import { assertEquals, assertThrows } from "@std/assert";
import { Instruction, LABEL, Label, OPCODE } from "../../../lib/asm/mod.ts";
import { LinkError } from "../../../lib/errors.ts";
import { bindJumpTables, linkProgram, relocateCollection, type RelocatedProgram } from "../../../lib/linker/mod.ts";
import { jumpTablesOf } from "../../../lib/linker/jump_tables.ts";
import { JUMP_TABLE, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { inRepository } from "../../support/mod.ts";
import { call, EXIT, fn, mov, program } from "./builders.ts";

const load = Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 1 });

Deno.test("jumpTablesOf() counts slots of the linked program, and gives each table once", () => {
  const [one, two] = [new Label(".L1"), new Label(".L2")];
  const table = { name: "t", targets: [two, one, two] };
  const switching = fn("switching", [
    load.with(JUMP_TABLE, table),
    mov(1).with(LABEL, one),
    load.with(JUMP_TABLE, table),
    mov(2).with(LABEL, two),
    EXIT,
  ]);
  const main = program([mov(0), call(switching.label), EXIT]);
  const linked = linkProgram(main, [switching]);
  assertEquals(jumpTablesOf(linked), [{ table, slots: [8, 5, 8] }]);
  const bound = bindJumpTables(linked, () => 17).filter((insn) => insn.get(JUMP_TABLE) !== undefined);
  assertEquals(bound.map(({ imm }) => imm), [17, 17]);
});

Deno.test("jumpTablesOf() rejects a table whose place is not in the program", () => {
  const insn = load.with(JUMP_TABLE, { name: "t", targets: [new Label("gone")] });
  assertThrows(
    () => jumpTablesOf([insn, EXIT]),
    LinkError,
    'jump table "t": entry 0 ("gone") is not in the linked program',
  );
});

Deno.test("relocateCollection(): jump_tables: every program has the tables of what it reaches, at its own slots", () => {
  const spec = readCollectionSpec(Deno.readFileSync(inRepository("testdata/clang22/jump_tables.bpf.o")));
  const { programs } = relocateCollection(spec, { targets: [] });
  const tables = (name: string) => (programs.get(name) as RelocatedProgram).jumpTables;
  assertEquals(tables("pick").map(({ slots }) => slots.length), [7, 6]);
  assertEquals(tables("twice").map(({ slots }) => slots.length).sort(), [5, 6, 7]);
  const chosen = (name: string) => tables(name).find(({ slots }) => slots.length === 7)!.slots;
  const [inPick, inTwice] = [chosen("pick"), chosen("twice")];
  const distances = new Set(inPick.map((slot, index) => inTwice[index]! - slot));
  assertEquals([distances.size, distances.has(0)], [1, false]);
});

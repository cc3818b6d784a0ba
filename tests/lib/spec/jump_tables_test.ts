/** Jump tables: what clang 22 emits, and tables that no compiler would. */
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { BPF_PSEUDO, Instruction, LABEL, OPCODE } from "../../../lib/asm/mod.ts";
import { RBPF, STT } from "../../../lib/elf/mod.ts";
import { LinkError } from "../../../lib/errors.ts";
import { JUMP_TABLE, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { inRepository } from "../../support/mod.ts";
import { buildObject, code, func } from "./object_builder.ts";

Deno.test("readCollectionSpec(): jump_tables: tables name places of their function", () => {
  const spec = readCollectionSpec(Deno.readFileSync(inRepository("testdata/clang22/jump_tables.bpf.o")));
  const tables = [...spec.functions, ...spec.programs.values()].flatMap(({ label, instructions }) => {
    const labels = new Set(instructions.map((insn) => insn.get(LABEL)));
    return instructions.map((insn) => insn.get(JUMP_TABLE)).filter((table) => table !== undefined).map((table) => {
      assert(table.targets.every((target) => labels.has(target)), table.name);
      return [label.name, table.targets.length];
    });
  });
  assertEquals(tables.sort(), [["chosen", 7], ["scaled", 6], ["twice", 5]]);
});

const EXIT = Instruction.of({ opcode: OPCODE.EXIT });
const load = Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 1 });
const gotox = Instruction.of({ opcode: OPCODE.JA_X, dst: 1 });

/** Two programs in a section: the first has a table of these byte offsets. */
function object(entries: readonly number[], symbol: { value?: number; size?: number } = {}): Uint8Array {
  return buildObject(
    [
      code("xdp", [EXIT, load, gotox, EXIT, EXIT, EXIT]),
      { name: ".jumptables", bytes: new Uint8Array(BigUint64Array.from(entries, BigInt).buffer) },
    ],
    [
      func("before", "xdp", 0, 1),
      func("main", "xdp", 1, 5),
      func("after", "xdp", 6, 1),
      { name: "JT", type: STT.OBJECT, section: ".jumptables", value: 0, size: entries.length * 8, ...symbol },
    ],
    [{ section: "xdp", offset: 8, symbol: "JT", type: RBPF.R64_64 }],
  );
}

Deno.test("readCollectionSpec() gives the places of a jump table labels: a function's start has its own", () => {
  const { instructions } = readCollectionSpec(object([32, 8, 40, 32])).programs.get("main")!;
  const [insn] = instructions;
  assertEquals([insn!.src, insn!.imm, insn!.immHigh], [BPF_PSEUDO.MAP_VALUE, 0, 0]);
  const { name, targets } = insn!.get(JUMP_TABLE)!;
  assertEquals([name, targets.length], ["JT", 4]);
  assertStrictEquals(targets[0], instructions[2]!.get(LABEL));
  assertStrictEquals(targets[1], instructions[0]!.get(LABEL));
  assertStrictEquals(targets[2], instructions[3]!.get(LABEL));
  assertStrictEquals(targets[3], targets[0]);
  assertEquals(targets[1]!.name, "main");
});

Deno.test("readCollectionSpec() rejects jump tables that leave their section, their function or an instruction", () => {
  const place = 'section "xdp" (index 1): relocation at offset 8 (symbol "JT")';
  const outside = "of the jump table is offset";
  const cases: [Uint8Array, string][] = [
    [object([32], { size: 0 }), `${place}: a jump table of 0 bytes at offset 0 is not whole entries of 8 bytes`],
    [
      object([32], { size: 16 }),
      "a jump table of 16 bytes at offset 0 is not whole entries of 8 bytes inside of section",
    ],
    [object([32, 32], { value: 4, size: 8 }), "a jump table of 8 bytes at offset 4 is not whole"],
    [object([0]), `${place}: entry 0 ${outside} 0, outside of its function "main"`],
    [object([32, 48]), `${place}: entry 1 ${outside} 48, outside of its function "main"`],
    [object([2 ** 40]), `${outside} 1099511627776`],
    [object([16]), "a jump table names offset 16, where no instruction starts"],
    [object([33]), "a jump table names offset 33, where no instruction starts"],
  ];
  for (const [bytes, message] of cases) assertThrows(() => readCollectionSpec(bytes), LinkError, message);
});

import { assertEquals, assertStrictEquals } from "@std/assert";
import { BPF_PSEUDO, Instruction, MAP, OPCODE } from "../../../lib/asm/mod.ts";
import { bindMaps } from "../../../lib/linker/mod.ts";
import { EXIT } from "./builders.ts";

Deno.test("bindMaps() sets fds, keeps offsets into values, and leaves all else alone", () => {
  const map = Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 1, src: BPF_PSEUDO.MAP_FD }).with(MAP, "events");
  const value = Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 2, src: BPF_PSEUDO.MAP_VALUE, immHigh: 24 })
    .with(MAP, "x.rodata");
  const fds: Record<string, number> = { events: 7, "x.rodata": 9 };
  const insns = [map, value, EXIT];
  const bound = bindMaps(insns, (name) => fds[name]!);
  assertEquals(bound.map(({ imm, immHigh }) => [imm, immHigh]), [[7, 0], [9, 24], [0, 0]]);
  assertStrictEquals(bound[1]!.get(MAP), "x.rodata");
  assertStrictEquals(bound[2], EXIT);
  assertEquals(map.imm, 0);
});

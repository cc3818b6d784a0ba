import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { Instruction, MAP, Metadata, MetadataKey, slotCount } from "../../../lib/asm/mod.ts";

const load = Instruction.of({ opcode: 0x18, dst: 1, imm: -1, immHigh: 1 });

Deno.test("Instruction.of() takes fields left out as 0", () => {
  const insn = Instruction.of({ opcode: 0x95 });
  assertEquals([insn.dst, insn.src, insn.offset, insn.imm, insn.immHigh], [0, 0, 0, 0, 0]);
  assertStrictEquals(insn.metadata, Metadata.EMPTY);
});

Deno.test("Instruction.constant is exact: unsigned 64 bits of a 64-bit load, signed 32 of others", () => {
  assertEquals(load.constant, 0x1ffffffffn);
  assertEquals(Instruction.of({ opcode: 0xb7, imm: -1, immHigh: 1 }).constant, -1);
});

Deno.test("slotCount() counts two for a 64-bit load", () => {
  assertEquals(slotCount([load, Instruction.of({ opcode: 0x95 }), load]), 5);
});

Deno.test("Instruction.with() makes a new instruction and leaves the old one alone", () => {
  const events = load.with(MAP, "events");
  assertEquals([load.get(MAP), events.get(MAP)], [undefined, "events"]);
  assertEquals([events.opcode, events.dst, events.constant], [load.opcode, load.dst, load.constant]);
});

Deno.test("Instruction.with() of the value that is there is the same instruction", () => {
  const events = load.with(MAP, "events");
  assertStrictEquals(events.with(MAP, "events"), events);
  assertStrictEquals(load.with(MAP, undefined), load);
});

Deno.test("Instruction.edit() changes fields and shares metadata", () => {
  const events = load.with(MAP, "events");
  const edited = events.edit({ src: 1, imm: 0 });
  assertEquals([edited.src, edited.imm, edited.immHigh, edited.dst], [1, 0, 1, 1]);
  assertStrictEquals(edited.metadata, events.metadata);
});

Deno.test("Metadata.with() copies on write", () => {
  const key = new MetadataKey<number>("number");
  const one = Metadata.EMPTY.with(key, 1);
  const two = one.with(key, 2).with(MAP, "m");
  assertEquals([one.get(key), two.get(key), two.get(MAP), one.size, two.size], [1, 2, "m", 1, 2]);
  assertNotStrictEquals(one, two);
  assertEquals([...two.entries()].map(([{ name }, value]) => [name, value]), [["number", 2], ["map", "m"]]);
});

Deno.test("Metadata.with() of undefined removes a value; without values it is EMPTY", () => {
  const key = new MetadataKey<number>("number");
  assertStrictEquals(Metadata.EMPTY.with(key, 1).with(key, undefined), Metadata.EMPTY);
});

Deno.test("Metadata tells keys of one name apart", () => {
  const a = new MetadataKey<number>("same");
  const b = new MetadataKey<number>("same");
  assert(Metadata.EMPTY.with(a, 1).get(b) === undefined);
});

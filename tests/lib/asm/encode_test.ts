import { assertEquals, assertThrows } from "@std/assert";
import { LinkError } from "../../../lib/errors.ts";
import { encode, Instruction, type InstructionFields, MAP } from "../../../lib/asm/mod.ts";

Deno.test("encode() writes fields in both orders", () => {
  const insns = [
    Instruction.of({ opcode: 0x7b, dst: 10, src: 1, offset: -8 }),
    Instruction.of({ opcode: 0x18, dst: 2, src: 1, imm: -2, immHigh: 0x11223344 }),
  ];
  assertEquals(encode(insns, "little").toHex(), "7b1af8ff00000000" + "18120000feffffff" + "0000000044332211");
  assertEquals(encode(insns, "big").toHex(), "7ba1fff800000000" + "18210000fffffffe" + "0000000011223344");
});

Deno.test("encode() leaves metadata out", () => {
  const insn = Instruction.of({ opcode: 0x18, dst: 1, src: 1 }).with(MAP, "events");
  assertEquals(encode([insn], "little").toHex(), "1811000000000000" + "0000000000000000");
});

Deno.test("encode() leaves out the high half of an immediate that has none", () => {
  assertEquals(encode([Instruction.of({ opcode: 0xb7, imm: 1, immHigh: 5 })], "little").toHex(), "b700000001000000");
});

Deno.test("encode() takes immediates as unsigned numbers too", () => {
  const insn = Instruction.of({ opcode: 0x18, imm: 0xffffffff, immHigh: 0x80000000 });
  assertEquals(encode([insn], "little").toHex(), "18000000ffffffff" + "0000000000000080");
});

Deno.test("encode() refuses a field that does not fit, and names the slot", () => {
  const wide = Instruction.of({ opcode: 0x18 });
  const misfits: InstructionFields[] = [
    { opcode: 256 },
    { opcode: 0xb7, dst: 16 },
    { opcode: 0xbf, src: -1 },
    { opcode: 0x05, offset: 32768 },
    { opcode: 0x05, offset: -32769 },
    { opcode: 0xb7, imm: 2 ** 32 },
    { opcode: 0xb7, imm: -(2 ** 31) - 1 },
    { opcode: 0xb7, imm: 0.5 },
    { opcode: 0x18, immHigh: 2 ** 32 },
  ];
  for (const fields of misfits) {
    assertThrows(
      () => encode([wide, Instruction.of(fields)], "little"),
      LinkError,
      "instruction 2: a field does not fit its bits",
    );
  }
});

import { assertEquals } from "@std/assert";
import { decode, format, Instruction, Label, MAP, REFERENCE, referenceText } from "../../../lib/asm/mod.ts";
import { VERIFIER_TEXT } from "./verifier_text.ts";

Deno.test("format() says what the verifier says", () => {
  for (const [bytes, text] of VERIFIER_TEXT) {
    const [insn] = decode(Uint8Array.fromHex(bytes), "little");
    assertEquals(format(insn!), text);
  }
});

Deno.test("format() leaves the opcode out", () => {
  assertEquals(format(Instruction.of({ opcode: 0xb7 }), { opcode: false }), "r0 = 0");
});

Deno.test("format() has all 64 bits of a 64-bit load", () => {
  assertEquals(format(Instruction.of({ opcode: 0x18, dst: 1, imm: -1, immHigh: -2 })), "(18) r1 = 0xfffffffeffffffff");
  assertEquals(format(Instruction.of({ opcode: 0x18, dst: 1, src: 1, imm: 7 })), "(18) r1 = 0x7");
});

Deno.test("format() has words for kernel functions and indirect branches", () => {
  assertEquals(format(Instruction.of({ opcode: 0x85, src: 2, imm: 65499 })), "(85) call kernel-function#65499");
  assertEquals(format(Instruction.of({ opcode: 0x8d, dst: 3 })), "(8d) callx r3");
  assertEquals(format(Instruction.of({ opcode: 0x8d, imm: 3 })), "(8d) callx r3");
  assertEquals(format(Instruction.of({ opcode: 0x0d, dst: 3 })), "(0d) gotox r3");
});

Deno.test("format() shows what only a kernel makes", () => {
  assertEquals(format(Instruction.of({ opcode: 0xc2 })), "(c2) nospec");
  assertEquals(
    format(Instruction.of({ opcode: 0xbf, dst: 1, src: 2, offset: -1 })),
    "(bf) r1 = &(void __percpu *)(r2)",
  );
  assertEquals(format(Instruction.of({ opcode: 0xe5, src: 1, offset: 2 })), "(e5) goto_or_nop pc+2");
});

Deno.test("format() of what no kernel knows is its opcode", () => {
  for (const opcode of [0x00, 0x21, 0x02, 0x03, 0xe4, 0xf5]) {
    assertEquals(format(Instruction.of({ opcode })), `BUG_${opcode.toString(16).padStart(2, "0")}`);
  }
});

Deno.test("format() puts what reference says in the place of numbers", () => {
  const reference = () => "NAME";
  const texts = [
    [{ opcode: 0x85, src: 1, imm: 5 }, "call NAME"],
    [{ opcode: 0x85, src: 2, imm: 5 }, "call NAME#5"],
    [{ opcode: 0x85, imm: 5 }, "call NAME#5"],
    [{ opcode: 0x18, dst: 1, src: 1, imm: 5 }, "r1 = NAME"],
    [{ opcode: 0x05, offset: 5 }, "goto NAME"],
    [{ opcode: 0x06, imm: 5 }, "gotol NAME"],
    [{ opcode: 0x15, dst: 1, imm: 5, offset: 5 }, "if r1 == 0x5 goto NAME"],
    [{ opcode: 0xe5, offset: 5 }, "may_goto NAME"],
    [{ opcode: 0xb7, imm: 5 }, "r0 = 5"],
  ] as const;
  for (const [fields, text] of texts) {
    assertEquals(format(Instruction.of(fields), { reference, opcode: false }), text);
  }
});

Deno.test("referenceText() names maps, places in their values, functions", () => {
  const load = Instruction.of({ opcode: 0x18, dst: 1 });
  assertEquals(referenceText(load.edit({ src: 1 }).with(MAP, "events")), "map[events]");
  assertEquals(referenceText(load.edit({ src: 2, immHigh: 8 }).with(MAP, "exec.bss")), "map[exec.bss][0]+8");
  assertEquals(referenceText(load.edit({ src: 4 }).with(REFERENCE, new Label("each"))), "subprog[each]");
  assertEquals(
    referenceText(Instruction.of({ opcode: 0x85, src: 1 }).with(REFERENCE, new Label("twice"))),
    "twice",
  );
  assertEquals(referenceText(load), undefined);
});

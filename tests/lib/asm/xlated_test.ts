import { assertEquals } from "@std/assert";
import { format, Instruction, xlatedReference } from "../../../lib/asm/mod.ts";

Deno.test("xlatedReference() says what a kernel's numbers mean", () => {
  const reference = xlatedReference({
    helper: (distance) => distance === -79120 ? "bpf_get_current_task" : undefined,
    function: (index) => ["bpf_prog_1_main", "bpf_prog_2_twice"][index],
  });
  const text = (fields: Parameters<typeof Instruction.of>[0]) => format(Instruction.of(fields), { reference });
  assertEquals(text({ opcode: 0x85, src: 1, offset: 18, imm: 1 }), "(85) call pc+18#bpf_prog_2_twice");
  assertEquals(text({ opcode: 0x85, src: 1, offset: -3, imm: 7 }), "(85) call pc-3");
  assertEquals(text({ opcode: 0x85, imm: -79120 }), "(85) call bpf_get_current_task#-79120");
  assertEquals(text({ opcode: 0x85, imm: 99999 }), "(85) call unknown#99999");
  assertEquals(text({ opcode: 0x18, dst: 1, src: 1, imm: 5 }), "(18) r1 = map[id:5]");
  assertEquals(text({ opcode: 0x18, dst: 1, src: 2, imm: 5, immHigh: 8 }), "(18) r1 = map[id:5][0]+8");
  assertEquals(text({ opcode: 0x18, dst: 1, src: 4, imm: 5 }), "(18) r1 = subprog[+5]");
  assertEquals(text({ opcode: 0x18, dst: 1, imm: 5 }), "(18) r1 = 0x5");
  assertEquals(text({ opcode: 0x05, offset: 5 }), "(05) goto pc+5");
});

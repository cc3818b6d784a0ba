import { assertEquals } from "@std/assert";
import {
  Instruction,
  type InstructionFields,
  isAtomic,
  isCall,
  isConditionalJump,
  isExit,
  isFunctionCall,
  isFunctionPointer,
  isHelperCall,
  isIndirectCall,
  isJump,
  isKfuncCall,
  isLoad,
  isLoadImm64,
  isMapLoad,
  isStore,
  isUnconditionalJump,
  jumpDistance,
} from "../../../lib/asm/mod.ts";

const PREDICATES = {
  isAtomic,
  isCall,
  isConditionalJump,
  isExit,
  isFunctionCall,
  isFunctionPointer,
  isHelperCall,
  isIndirectCall,
  isJump,
  isKfuncCall,
  isLoad,
  isLoadImm64,
  isMapLoad,
  isStore,
  isUnconditionalJump,
};

const EXPECTED: readonly (readonly [what: string, fields: InstructionFields, holds: (keyof typeof PREDICATES)[]])[] = [
  ["a number", { opcode: 0x18 }, ["isLoadImm64"]],
  ["a map by fd", { opcode: 0x18, src: 1 }, ["isLoadImm64", "isMapLoad"]],
  ["a map's value by index", { opcode: 0x18, src: 6 }, ["isLoadImm64", "isMapLoad"]],
  ["a kernel variable", { opcode: 0x18, src: 3 }, ["isLoadImm64"]],
  ["a callback", { opcode: 0x18, src: 4 }, ["isFunctionPointer", "isLoadImm64"]],
  ["a helper", { opcode: 0x85 }, ["isCall", "isHelperCall"]],
  ["a function", { opcode: 0x85, src: 1 }, ["isCall", "isFunctionCall"]],
  ["a kfunc", { opcode: 0x85, src: 2 }, ["isCall", "isKfuncCall"]],
  ["callx", { opcode: 0x8d }, ["isIndirectCall"]],
  ["exit", { opcode: 0x95 }, ["isExit"]],
  ["goto", { opcode: 0x05 }, ["isJump", "isUnconditionalJump"]],
  ["gotol", { opcode: 0x06 }, ["isJump", "isUnconditionalJump"]],
  ["gotox", { opcode: 0x0d }, ["isJump", "isUnconditionalJump"]],
  ["may_goto", { opcode: 0xe5 }, ["isConditionalJump", "isJump"]],
  ["a 64-bit comparison", { opcode: 0x15 }, ["isConditionalJump", "isJump"]],
  ["a 32-bit comparison", { opcode: 0xde }, ["isConditionalJump", "isJump"]],
  ["a load", { opcode: 0x79 }, ["isLoad"]],
  ["a sign-extending load", { opcode: 0x81 }, ["isLoad"]],
  ["a packet load", { opcode: 0x28 }, ["isLoad"]],
  ["a store of a register", { opcode: 0x7b }, ["isStore"]],
  ["a store of a number", { opcode: 0x62 }, ["isStore"]],
  ["an atomic", { opcode: 0xdb }, ["isAtomic"]],
  ["arithmetic", { opcode: 0x0f }, []],
  ["32-bit arithmetic", { opcode: 0xb4 }, []],
];

for (const [what, fields, holds] of EXPECTED) {
  Deno.test(`predicates of ${what}`, () => {
    const insn = Instruction.of(fields);
    const named = Object.entries(PREDICATES).filter(([, predicate]) => predicate(insn)).map(([name]) => name);
    assertEquals(named, holds);
  });
}

Deno.test("jumpDistance() is in offset, of gotol in imm, and nowhere for other instructions", () => {
  assertEquals(jumpDistance(Instruction.of({ opcode: 0x05, offset: -3, imm: 9 })), -3);
  assertEquals(jumpDistance(Instruction.of({ opcode: 0x06, offset: 9, imm: 70000 })), 70000);
  assertEquals(jumpDistance(Instruction.of({ opcode: 0xe5, offset: 4 })), 4);
  assertEquals(jumpDistance(Instruction.of({ opcode: 0x0d })), undefined);
  assertEquals(jumpDistance(Instruction.of({ opcode: 0x85, src: 1, imm: 4 })), undefined);
});

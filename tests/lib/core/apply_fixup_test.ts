import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Instruction, LABEL, Label, slotCount } from "../../../lib/asm/mod.ts";
import { RelocationError } from "../../../lib/errors.ts";
import type { BtfType } from "../../../lib/btf/mod.ts";
import { BpfCoreReloKind as Kind } from "../../../lib/uapi/mod.ts";
import { applyFixup, BAD_RELOCATION, CORE_FIXUP, type CoreFixup, relocate } from "../../../lib/core/mod.ts";
import { enumeration, enumeration64, member, relocations, S32, struct, target, U16, U32, U64, U8 } from "./types.ts";

const MOV64_K = 0xb7;
const MOV64_X = 0xbf;
const ADD32_K = 0x04;
const LDX_W = 0x61;
const LDX_B = 0x71;
const LDX_DW = 0x79;
const LDXSX_W = 0x81;
const ST_W = 0x62;
const STX_W = 0x63;
const STX_DW = 0x7b;
const LD_IMM64 = 0x18;
const LD_ABS_W = 0x20;
const CALL = 0x85;
const JEQ_K = 0x15;

/** The offset of member 0 of a struct whose local type is `from` at byte 0 and whose target's is `to` at `offset`. */
function offsetFixup(from: BtfType, to: BtfType, offset: number): CoreFixup {
  const local = struct("s", 64, [member("f", from, 0)]);
  const kernel = target([struct("s", 100000, [member("f", to, offset * 8)])]);
  return relocate(
    relocations([{ kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: local, accessor: "0:0" }]),
    [kernel],
  )[0]!;
}

function enumFixup(from: bigint, to: bigint): CoreFixup {
  const kernel = target([enumeration64("e", { A: to })]);
  const type = enumeration64("e", { A: from });
  return relocate(relocations([{ kind: Kind.BPF_CORE_ENUMVAL_VALUE, type, accessor: "0" }]), [kernel])[0]!;
}

const POISON = relocate(
  relocations([{
    kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET,
    type: struct("none", 4, [member("f", U32, 0)]),
    accessor: "0:0",
  }]),
  [target([U32])],
)[0]!;

function fieldsOf(insns: Instruction[]): number[][] {
  return insns.map((insn) => [insn.opcode, insn.dst, insn.src, insn.offset, insn.imm, insn.immHigh]);
}

Deno.test("applyFixup() patches the immediate of arithmetic", () => {
  const fixup = offsetFixup(U32, U32, 40000);
  assertEquals(fieldsOf(applyFixup(Instruction.of({ opcode: MOV64_K, dst: 3 }), fixup)), [[
    MOV64_K,
    3,
    0,
    0,
    40000,
    0,
  ]]);
  assertEquals(fieldsOf(applyFixup(Instruction.of({ opcode: ADD32_K, dst: 3 }), fixup)), [[
    ADD32_K,
    3,
    0,
    0,
    40000,
    0,
  ]]);
});

Deno.test("applyFixup() cuts a value to the immediate's 32 bits", () => {
  const insn = Instruction.of({ opcode: MOV64_K, dst: 1, imm: 1 });
  assertEquals(applyFixup(insn, enumFixup(1n, 0xf_ffff_fffen))[0]!.imm, -2);
  assertEquals(applyFixup(insn.edit({ imm: -1 }), enumFixup(0xffff_ffff_ffff_ffffn, 5n))[0]!.imm, 5);
});

Deno.test("applyFixup() patches the offset of loads and stores, and keeps the mode", () => {
  const fixup = offsetFixup(U32, U32, 12);
  for (const opcode of [LDX_W, LDXSX_W, ST_W, STX_W]) {
    const insn = Instruction.of({ opcode, dst: 1, src: 2, imm: 7 });
    assertEquals(fieldsOf(applyFixup(insn, fixup)), [[opcode, 1, 2, 12, 7, 0]]);
  }
});

Deno.test("applyFixup() makes an access of unsigned integers wider or narrower", () => {
  const insn = Instruction.of({ opcode: LDX_W, dst: 1, src: 2 });
  assertEquals(applyFixup(insn, offsetFixup(U32, U64, 8))[0]!.opcode, LDX_DW);
  assertEquals(applyFixup(insn, offsetFixup(U32, U8, 8))[0]!.opcode, LDX_B);
  assertEquals(applyFixup(Instruction.of({ opcode: STX_W }), offsetFixup(U32, U64, 8))[0]!.opcode, STX_DW);
});

Deno.test("applyFixup() poisons an access whose size may not change, but no arithmetic", () => {
  const fixup = offsetFixup(S32, U64, 8);
  const poisoned = applyFixup(Instruction.of({ opcode: LDX_W, dst: 1, src: 2 }), fixup);
  assertEquals(fieldsOf(poisoned), [[CALL, 0, 0, 0, BAD_RELOCATION, 0]]);
  assertEquals(applyFixup(Instruction.of({ opcode: MOV64_K }), fixup)[0]!.imm, 8);
});

Deno.test("applyFixup() rejects an access of another size than the object's field", () => {
  const insn = Instruction.of({ opcode: LDX_B, dst: 1, src: 2 });
  assertThrows(() => applyFixup(insn, offsetFixup(U32, U64, 8)), RelocationError, "moves another number");
  assertEquals(applyFixup(insn, offsetFixup(U32, U32, 8))[0]!.offset, 8);
});

Deno.test("applyFixup() rejects a new size that no instruction moves", () => {
  const odd = { ...U32, name: "odd", size: 16 };
  assertThrows(
    () => applyFixup(Instruction.of({ opcode: LDX_W }), offsetFixup(U32, odd, 8)),
    RelocationError,
    "16 bytes in the target, which no instruction moves",
  );
});

Deno.test("applyFixup() rejects an offset over 32767, before the size is looked at", () => {
  const insn = Instruction.of({ opcode: LDX_W });
  assertEquals(applyFixup(insn, offsetFixup(U32, U32, 32767))[0]!.offset, 32767);
  assertThrows(() => applyFixup(insn, offsetFixup(U32, U32, 32768)), RelocationError, "at most 32767");
  assertThrows(() => applyFixup(insn, offsetFixup(S32, U64, 32768)), RelocationError, "at most 32767");
});

Deno.test("applyFixup() patches both halves of a 64-bit load", () => {
  const insn = Instruction.of({ opcode: LD_IMM64, dst: 4, imm: -1, immHigh: 1 });
  const fixup = enumFixup(0x1_ffff_ffffn, 0x8000_0002_9000_0003n);
  assertEquals(fieldsOf(applyFixup(insn, fixup)), [[LD_IMM64, 4, 0, 0, 0x90000003 | 0, 0x80000002 | 0]]);
});

Deno.test("applyFixup() extends the sign of a 32-bit enum over a 64-bit load", () => {
  const type = enumeration64("e", { A: 1n });
  const kernel = target([enumeration("e", { A: -5 })]);
  const fixup = relocate(relocations([{ kind: Kind.BPF_CORE_ENUMVAL_VALUE, type, accessor: "0" }]), [kernel])[0]!;
  const insn = Instruction.of({ opcode: LD_IMM64, imm: 1 });
  assertEquals(fieldsOf(applyFixup(insn, fixup)), [[LD_IMM64, 0, 0, 0, -5, -1]]);
});

Deno.test("applyFixup() rejects an instruction that does not hold the object's value", () => {
  const fixup = offsetFixup(U32, U32, 8);
  const text = "is 0 by the object's BTF, but the instruction holds";
  assertThrows(() => applyFixup(Instruction.of({ opcode: MOV64_K, imm: 4 }), fixup), RelocationError, `${text} 4`);
  assertThrows(() => applyFixup(Instruction.of({ opcode: LDX_W, offset: 4 }), fixup), RelocationError, `${text} 4`);
  const load = Instruction.of({ opcode: LD_IMM64, immHigh: 1 });
  assertThrows(() => applyFixup(load, fixup), RelocationError, `${text} 4294967296`);
});

Deno.test("applyFixup() does not check what compilers may differ about", () => {
  const local = struct("s", 8, [member("b", U16, 3, 5)]);
  const kernel = target([struct("s", 8, [member("b", U16, 35, 5)])]);
  const list = relocations([{ kind: Kind.BPF_CORE_FIELD_BYTE_OFFSET, type: local, accessor: "0:0" }]);
  const patched = applyFixup(Instruction.of({ opcode: MOV64_K, imm: 77 }), relocate(list, [kernel])[0]!);
  assertEquals(patched[0]!.imm, 4);
});

Deno.test("applyFixup() rejects instructions without a place for a value", () => {
  const fixup = offsetFixup(U32, U32, 8);
  for (
    const fields of [
      { opcode: MOV64_X },
      { opcode: JEQ_K },
      { opcode: CALL },
      { opcode: LD_ABS_W },
      { opcode: LD_IMM64, src: 1 },
      { opcode: LD_IMM64, offset: 1 },
    ]
  ) {
    assertThrows(() => applyFixup(Instruction.of(fields), fixup), RelocationError, "has no place");
  }
});

Deno.test("applyFixup() poisons any instruction, keeps its slots and its metadata", () => {
  const label = new Label("f");
  for (const opcode of [MOV64_X, JEQ_K, LDX_W, LD_IMM64]) {
    const insn = Instruction.of({ opcode, dst: 1, src: 1, offset: 9, imm: 3 }).with(LABEL, label);
    const poisoned = applyFixup(insn, POISON);
    assertEquals(slotCount(poisoned), insn.slots);
    for (const part of poisoned) assertEquals(fieldsOf([part]), [[CALL, 0, 0, 0, 195896080, 0]]);
    assertStrictEquals(poisoned[0]!.get(LABEL), label);
    assertStrictEquals(poisoned[0]!.get(CORE_FIXUP), POISON);
    assertEquals(poisoned[1]?.metadata.size ?? 0, 0);
  }
});

Deno.test("applyFixup() does not change the instruction it is given", () => {
  const insn = Instruction.of({ opcode: LDX_W, dst: 1, src: 2 });
  applyFixup(insn, offsetFixup(U32, U64, 8));
  assertEquals([...fieldsOf([insn])[0]!, insn.metadata.size], [LDX_W, 1, 2, 0, 0, 0, 0]);
});

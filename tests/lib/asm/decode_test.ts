import { assert, assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../../../lib/errors.ts";
import { decode, encode, Instruction } from "../../../lib/asm/mod.ts";
import { assembleMix } from "./mix.ts";
import { VERIFIER_TEXT } from "./verifier_text.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

Deno.test("decode() takes the fields of a little-endian instruction apart", () => {
  assertEquals(decode(hex("7b 1a f8 ff 00 00 00 00  07 01 00 00 44 33 22 11"), "little"), [
    Instruction.of({ opcode: 0x7b, dst: 10, src: 1, offset: -8 }),
    Instruction.of({ opcode: 0x07, dst: 1, imm: 0x11223344 }),
  ]);
});

Deno.test("decode() takes the fields of a big-endian instruction apart, whose registers are swapped", () => {
  assertEquals(decode(hex("7b a1 ff f8 00 00 00 00  07 10 00 00 11 22 33 44"), "big"), [
    Instruction.of({ opcode: 0x7b, dst: 10, src: 1, offset: -8 }),
    Instruction.of({ opcode: 0x07, dst: 1, imm: 0x11223344 }),
  ]);
});

Deno.test("decode() makes one instruction of the two slots of a 64-bit load", () => {
  const little = decode(hex("18 02 00 00 88 77 66 55  00 00 00 00 44 33 22 91  95 00 00 00 00 00 00 00"), "little");
  const big = decode(hex("18 20 00 00 55 66 77 88  00 00 00 00 91 22 33 44  95 00 00 00 00 00 00 00"), "big");
  assertEquals(little, big);
  assertEquals(little.length, 2);
  assertEquals([little[0]!.slots, little[0]!.constant], [2, 0x9122334455667788n]);
});

Deno.test("decode() reads from the middle of a buffer", () => {
  const bytes = hex("ff ff ff 95 00 00 00 00 00 00 00").subarray(3);
  assertEquals(decode(bytes, "little"), [Instruction.of({ opcode: 0x95 })]);
});

Deno.test("decode() of no bytes is no instructions", () => {
  assertEquals(decode(new Uint8Array(0), "little"), []);
});

Deno.test("encode() of decode() are the same bytes, for all that the verifier prints", () => {
  for (const [bytes] of VERIFIER_TEXT) {
    const insns = decode(hex(bytes), "little");
    assertEquals(encode(insns, "little").toHex(), bytes);
    assertEquals(decode(encode(insns, "big"), "big"), insns);
  }
});

Deno.test("encode() of decode() are the same bytes, for programs in both orders", () => {
  for (const order of ["little", "big"] as const) {
    const bytes = assembleMix(200, order);
    assertEquals(encode(decode(bytes, order), order), bytes);
  }
});

Deno.test("encode() of a lenient decode() are the same bytes, for any opcode and registers", () => {
  for (const order of ["little", "big"] as const) {
    for (let opcode = 0; opcode < 256; opcode++) {
      const bytes = new Uint8Array([opcode, 0xfe, 0x80, 0x7f, 1, 0xfe, 0xff, 0x80, 0, 0, 0, 0, 4, 3, 2, 0xff]);
      assertEquals(encode(decode(bytes, order, { lenient: true }), order), bytes);
    }
  }
});

function refuses(bytes: string, message: string, order: "little" | "big" = "little"): void {
  const error = assertThrows(() => decode(hex(bytes), order, { what: 'section "xdp"' }), FormatError);
  assertEquals(error.message, `section "xdp": ${message}`);
}

const EXIT = "95 00 00 00 00 00 00 00 ";

Deno.test("decode() refuses bytes that are no whole number of slots", () => {
  refuses(EXIT + "95", "9 bytes are not a whole number of 8-byte instructions");
  assertThrows(() => decode(hex("95"), "little"), FormatError, "instructions: 1 bytes");
});

Deno.test("decode() refuses a 64-bit load that is cut or whose second slot is an instruction, lenient or not", () => {
  refuses(
    EXIT + "18 01 00 00 00 00 00 00",
    "offset 8: a 64-bit load takes two slots, but the second is missing",
  );
  for (const second of ["95 00 00 00", "00 01 00 00", "00 00 01 00"]) {
    const bytes = `18 01 00 00 00 00 00 00 ${second} 00 00 00 00`;
    refuses(bytes, "offset 8: the second slot of a 64-bit load has more than an immediate");
    assertThrows(() => decode(hex(bytes), "little", { lenient: true }), FormatError, "offset 8");
  }
});

Deno.test("decode() refuses opcodes that do not exist, in both orders", () => {
  // Of each class one; JMP32 has no call and exit, byte swaps of 64 bits have one direction, ST has no atomics.
  for (const opcode of ["00", "01", "02", "03", "8c", "86", "96", "df", "c2", "99", "38", "e4", "f5"]) {
    refuses(`${EXIT}${opcode} 00 00 00 00 00 00 00`, `offset 8: unknown opcode 0x${opcode}`);
    refuses(`${EXIT}${opcode} 00 00 00 00 00 00 00`, `offset 8: unknown opcode 0x${opcode}`, "big");
  }
});

Deno.test("decode() refuses registers that do not exist, in both orders", () => {
  refuses("bf 1b 00 00 00 00 00 00", "offset 0: destination register r11 does not exist");
  refuses("bf b1 00 00 00 00 00 00", "offset 0: destination register r11 does not exist", "big");
  refuses("bf c1 00 00 00 00 00 00", "offset 0: source register r12 does not exist");
  refuses("8d 00 00 00 0b 00 00 00", "offset 0: register r11 of an indirect call does not exist");
});

Deno.test("decode() refuses values in fields that an instruction does not have, in both orders", () => {
  refuses("95 01 00 00 00 00 00 00", "offset 0: opcode 0x95 has no destination register, but the field holds 1");
  refuses("b7 10 00 00 00 00 00 00", "offset 0: opcode 0xb7 has no source register, but the field holds 1");
  refuses("b7 01 00 00 00 00 00 00", "offset 0: opcode 0xb7 has no source register, but the field holds 1", "big");
  refuses("0f 10 ff ff 00 00 00 00", "offset 0: opcode 0x0f has no variant with offset -1");
  refuses("18 00 01 00 00 00 00 00" + "00".repeat(8), "offset 0: opcode 0x18 has no offset, but the field holds 1");
  refuses("79 10 00 00 05 00 00 00", "offset 0: opcode 0x79 has no immediate, but the field holds 5");
  refuses("85 00 00 01 01 00 00 00", "offset 0: opcode 0x85 has no offset, but the field holds 256");
});

Deno.test("decode() refuses variants that do not exist", () => {
  refuses("d7 01 00 00 08 00 00 00", "offset 0: opcode 0xd7 swaps the bytes of 16, 32 or 64 bits, not of 8");
  refuses("bf 21 18 00 00 00 00 00", "offset 0: opcode 0xbf has no variant with offset 24");
  refuses("bc 21 20 00 00 00 00 00", "offset 0: opcode 0xbc has no variant with offset 32");
  refuses("3f 21 02 00 00 00 00 00", "offset 0: opcode 0x3f has no variant with offset 2");
  refuses("db 21 00 00 10 00 00 00", "offset 0: opcode 0xdb has no atomic operation 0x10");
  refuses("d3 21 00 00 00 00 00 00", "offset 0: opcode 0xd3 has no atomic operation 0x0");
  refuses("85 30 00 00 01 00 00 00", "offset 0: call of unknown kind 3");
  refuses("18 71 00 00 01 00 00 00" + "00".repeat(8), "offset 0: 64-bit load of unknown kind 7");
});

Deno.test("decode() takes variants that the ISA has and clang emits", () => {
  const variants = [
    "bf 21 01 00 01 00 00 00", // address space cast
    "85 20 02 00 01 00 00 00", // kfunc of a module
    "8d 00 00 00 03 00 00 00", // callx, register in imm
    "8d 03 00 00 00 00 00 00", // callx, register in dst
    "0d 03 00 00 00 00 00 00", // gotox
    "85 10 00 00 ff ff ff ff", // call that is not relocated
    "18 61 00 00 01 00 00 00 00 00 00 00 08 00 00 00", // map value by index
  ];
  for (const bytes of variants) assertEquals(encode(decode(hex(bytes), "little"), "little"), hex(bytes));
});

Deno.test("decode() takes anything with lenient, such as what a kernel made of a program", () => {
  const bytes = hex("95 00 00 00 01 00 00 00  f5 00 00 00 00 00 00 00  bf 1b 00 00 00 00 00 00");
  const insns = decode(bytes, "little", { lenient: true });
  assertEquals(insns.map(({ opcode }) => opcode), [0x95, 0xf5, 0xbf]);
  assert(insns.every((insn) => insn.metadata.size === 0));
});

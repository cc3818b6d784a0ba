import { assertEquals, assertGreater } from "@std/assert";
import { decode, encode, slotCount } from "../../../lib/asm/mod.ts";
import { ElfFile, SHF } from "../../../lib/elf/mod.ts";
import { inRepository } from "../../support/mod.ts";
import { objectPaths } from "./objects.ts";
import { randomInstructions } from "./random.ts";

Deno.test("encode(decode(bytes)) are the same bytes, for every section of code in testdata", () => {
  let slots = 0;
  for (const path of objectPaths()) {
    const elf = ElfFile.parse(Deno.readFileSync(inRepository(path)), path);
    for (const section of elf.sections) {
      if ((section.flags & SHF.EXECINSTR) === 0) continue;
      const bytes = section.bytes();
      // What lies between functions is no code: a linker may have filled it with anything.
      const insns = decode(bytes, elf.order, { lenient: true });
      assertEquals(encode(insns, elf.order), new Uint8Array(bytes), `${path}: ${section.name}`);
      slots += slotCount(insns);
    }
  }
  assertGreater(slots, 5000);
});

Deno.test("encode(decode(bytes)) are the same bytes, for 1,000,000 random instructions in both orders", () => {
  for (let seed = 0; seed < 20; seed++) {
    const insns = randomInstructions(50_000, seed);
    for (const order of ["little", "big"] as const) {
      const bytes = encode(insns, order);
      const again = encode(decode(bytes, order), order);
      // Of a million numbers only the first difference is wanted.
      const differs = bytes.length === again.length ? bytes.findIndex((byte, i) => byte !== again[i]) : 0;
      assertEquals(differs, -1, `seed ${seed}, ${order}-endian: byte ${differs}`);
    }
  }
});

Deno.test("random instructions are of every opcode", () => {
  const opcodes = new Set(randomInstructions(50_000, 1).map(({ opcode }) => opcode));
  // 53 of arithmetic, 51 of jumps and calls, 26 of loads and stores.
  assertEquals(opcodes.size, 130);
});

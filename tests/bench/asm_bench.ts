/**
 * Decoding and encoding of 100,000 instructions, mixed as clang mixes them: the figure to watch is the time of both
 * together divided by the number of instructions (aim: 30 ns).
 */
import { assemble, print } from "../../lib/asm/text/mod.ts";
import { controlFlow } from "../../lib/asm/flow/mod.ts";
import { decode, encode, format, type Instruction, listing } from "../../lib/asm/mod.ts";
import { assembleMix } from "../lib/asm/mix.ts";

const INSNS = 100_000;
const little = assembleMix(INSNS, "little");
const big = assembleMix(INSNS, "big");
const insns: Instruction[] = decode(little, "little");

Deno.bench("decode + encode 100,000 instructions, little-endian", { group: "round trip", baseline: true }, () => {
  encode(decode(little, "little"), "little");
});

Deno.bench("decode + encode 100,000 instructions, big-endian", { group: "round trip" }, () => {
  encode(decode(big, "big"), "big");
});

Deno.bench("decode 100,000 instructions", { group: "half" }, () => {
  decode(little, "little");
});

Deno.bench("encode 100,000 instructions", { group: "half" }, () => {
  encode(insns, "little");
});

Deno.bench("format 100,000 instructions", { group: "text" }, () => {
  for (const insn of insns) format(insn);
});

Deno.bench("listing of 100,000 instructions", { group: "text" }, () => {
  let length = 0;
  for (const line of listing(insns)) length += line.text.length;
  if (length === 0) throw new Error("the listing is empty");
});

const part = insns.slice(0, 10_000).filter(({ opcode }) => opcode !== 0x15 && opcode !== 0x2d && opcode !== 0x85);
const text = print(part);

Deno.bench(`print ${part.length} instructions`, { group: "assembly" }, () => {
  print(part);
});

Deno.bench(`assemble ${part.length} instructions`, { group: "assembly", baseline: true }, () => {
  assemble(text);
});

Deno.bench(`control flow of ${part.length} instructions`, { group: "graph" }, () => {
  controlFlow(part);
});

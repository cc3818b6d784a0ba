import { assert, assertEquals, assertGreater } from "@std/assert";
import { assemble, print } from "../../../../lib/asm/text/mod.ts";
import {
  decode,
  Instruction,
  LABEL,
  Label,
  MAP,
  REFERENCE,
  referenceJumps,
  resolveReferences,
  SOURCE,
} from "../../../../lib/asm/mod.ts";
import { described } from "../described.ts";
import { codeOf, objectPaths, readObject } from "../objects.ts";
import { randomInstructions } from "../random.ts";
import { VERIFIER_TEXT } from "../verifier_text.ts";

Deno.test("print() is what assemble() reads", () => {
  const text = `.global helper
.weak entry
entry:
  ; long x = ctx->a; @ src/a.bpf.c:3:7
  r6 = r1
  if r0 == 0x0 goto out
  call helper
  call bpf_ktime_get_ns#5
  r1 = map[a.bss][0]+8
  r2 = subprog[each]
out:
  exit
each:
  ;   return 0; @ src/a.bpf.c:9:3
  goto out
`;
  const [weak, global, ...rest] = text.split("\n");
  assertEquals(print(assemble(text)).split("\n"), [global, weak, ...rest]);
});

Deno.test("print() has opcodes where they are asked for, and no source lines where not", () => {
  const insns = assemble("; x @ a.c:1:1\nr0 = 0\nexit");
  assertEquals(print(insns, { opcode: true, source: false }), "  (b7) r0 = 0\n  (95) exit\n");
});

Deno.test("print() tells labels of one name apart", () => {
  const [a, b] = [new Label("f"), new Label("f")];
  const exit = Instruction.of({ opcode: 0x95 });
  const call = Instruction.of({ opcode: 0x85, src: 1, imm: -1 });
  const insns = [call.with(REFERENCE, b), exit.with(LABEL, a), exit.with(LABEL, b)];
  assertEquals(print(insns), "  call f\nf@2:\n  exit\nf:\n  exit\n");
  assertEquals(described(assemble(print(insns))), described(resolveReferences(insns)));
});

Deno.test("print() declares local labels that stand elsewhere, so that a part can be read again", () => {
  const insns = assemble("loop: r1 += -1\nif r1 != 0 goto loop\ncall f\nexit\nf: exit").slice(1, 3);
  assertEquals(print(insns), ".local loop\n.local f\n  if r1 != 0x0 goto loop\n  call f\n");
  const again = assemble(print(insns));
  assertEquals(again.map((insn) => insn.get(REFERENCE)?.binding), ["local", "local"]);
});

Deno.test("print() quotes names that are no words", () => {
  const insns = [
    Instruction.of({ opcode: 0x18, src: 1 }).with(MAP, 'a "map"').with(LABEL, new Label("1 2")),
    Instruction.of({ opcode: 0x95 }).with(LABEL, new Label("x@y")),
  ];
  assertEquals(described(assemble(print(insns))), described(insns));
});

Deno.test("print() gives bytes for what has no words", () => {
  const odd = [
    Instruction.of({ opcode: 0x8d, imm: 3 }),
    Instruction.of({ opcode: 0x18, dst: 1, src: 1, imm: 7, immHigh: 9 }),
    Instruction.of({ opcode: 0xf5, dst: 12, src: 13, offset: -1, imm: -2 }),
  ];
  const text = print(odd);
  assertEquals(text.match(/\.8byte/g)?.length, 3);
  assertEquals(assemble(text), odd);
});

Deno.test("assemble(print(insns)) are the same instructions, for all that the verifier prints", () => {
  const insns = VERIFIER_TEXT.map(([bytes]) => decode(Uint8Array.fromHex(bytes), "little")[0]!);
  assertEquals(assemble(print(insns)), insns);
  assert(!print(insns).includes(".8byte"));
});

Deno.test("assemble(print(insns)) are the same instructions, for random ones", () => {
  const insns = randomInstructions(20_000, 1);
  const text = print(insns);
  assertEquals(assemble(text), insns);
  assertEquals(assemble(print(insns, { opcode: true })), insns);
});

Deno.test("assemble(print(insns)) are the same instructions, labels and lines, for every object of testdata", () => {
  let count = 0;
  for (const path of objectPaths()) {
    const spec = readObject(path);
    if (spec === undefined) continue;
    for (const [name, insns] of codeOf(spec)) {
      assertEquals(described(assemble(print(insns))), described(insns), `${path}: ${name}`);
      const referenced = referenceJumps(insns);
      assertEquals(described(assemble(print(referenced))), described(referenced), `${path}: ${name}, with labels`);
      count += insns.length;
    }
  }
  assertGreater(count, 5000);
});

Deno.test("print() of a source line with a line break in it stays on one line", () => {
  const insn = Instruction.of({ opcode: 0x95 }).with(SOURCE, { text: "a\nb", file: "x.c", line: 1, column: 2 });
  assertEquals(print([insn]), "  ; a b @ x.c:1:2\n  exit\n");
});

import { assertEquals, assertThrows } from "@std/assert";
import { assemble } from "../../../../lib/asm/text/mod.ts";
import { decode, encode, type Instruction, LABEL, MAP, REFERENCE, SOURCE } from "../../../../lib/asm/mod.ts";
import { FormatError, LinkError } from "../../../../lib/errors.ts";
import { described } from "../described.ts";
import { VERIFIER_TEXT } from "../verifier_text.ts";

function one(text: string): Instruction {
  const insns = assemble(text);
  assertEquals(insns.length, 1, text);
  return insns[0]!;
}

Deno.test("assemble() reads all that the verifier prints, with the opcode and without", () => {
  for (const [bytes, text] of VERIFIER_TEXT) {
    const [insn] = decode(Uint8Array.fromHex(bytes), "little");
    assertEquals(one(text), insn, text);
    assertEquals(one(text.slice("(b7) ".length)), insn, text);
    assertEquals(one(`  12: ${text}  ; R0_w=0`), insn, text);
  }
});

Deno.test("assemble() makes a program of labels, helpers and functions", () => {
  const insns = assemble(`
    entry:  r6 = r1
            r0 = *(u32 *)(r6 +0)
            if r0 == 0x0 goto out
            call helper
            call get_current_pid_tgid       // bpf_ may be left out
            call bpf_ktime_get_ns
            r1 = subprog[entry]
    out:    exit
  `);
  assertEquals(insns.map(({ opcode, src, offset, imm }) => [opcode, src, offset, imm]), [
    [0xbf, 1, 0, 0],
    [0x61, 6, 0, 0],
    [0x15, 0, 5, 0],
    [0x85, 1, 0, -1],
    [0x85, 0, 0, 14],
    [0x85, 0, 0, 5],
    [0x18, 4, 0, -7],
    [0x95, 0, 0, 0],
  ]);
  assertEquals(insns.map((insn) => insn.get(LABEL)?.name), ["entry", ...Array(6), "out"]);
  assertEquals(insns[2]!.get(REFERENCE), insns[7]!.get(LABEL));
  assertEquals(insns[6]!.get(REFERENCE), insns[0]!.get(LABEL));
  const helper = insns[3]!.get(REFERENCE)!;
  assertEquals([helper.name, helper.binding], ["helper", "global"]);
});

Deno.test("assemble() takes a label for a function before a helper of that name", () => {
  const insns = assemble("call tail_call\nexit\ntail_call: exit");
  assertEquals([insns[0]!.src, insns[0]!.imm], [1, 1]);
  assertEquals(assemble(".global tail_call\ncall tail_call")[0]!.get(REFERENCE)?.name, "tail_call");
});

Deno.test("assemble() gives directives' bindings to labels", () => {
  const insns = assemble(".weak a\n.global b\n.local c\na: call b\nb: call c\nd: exit");
  const texts = described(insns).map(({ label, reference }) => [label, reference]);
  assertEquals(texts, [["weak a 0", "global b 1"], ["global b 1", "local c 2"], ["local d 3", undefined]]);
});

Deno.test("assemble() takes further labels of an instruction for other words", () => {
  const insns = assemble(".global f\nloop: f: r1 += -1\nif r1 != 0 goto loop\ncall f\nexit");
  const label = insns[0]!.get(LABEL)!;
  assertEquals(label.name, "f");
  assertEquals([insns[1]!.get(REFERENCE), insns[2]!.get(REFERENCE)], [label, label]);
});

Deno.test("assemble() tells labels of one name apart by number", () => {
  const insns = assemble('goto x\nx: goto x@2\nx@2: goto "odd name"\n"odd name": exit');
  assertEquals(insns.map(({ offset }) => offset), [0, 0, 0, 0]);
  assertEquals(insns.map((insn) => insn.get(LABEL)?.name), [undefined, "x", "x", "odd name"]);
});

Deno.test("assemble() knows maps, by name, fd and index, and places in their values", () => {
  const load = (text: string) => {
    const { src, imm, immHigh, metadata } = one(`r1 = ${text}`);
    return [src, imm, immHigh, metadata.get(MAP)];
  };
  assertEquals(load("map[events]"), [1, 0, 0, "events"]);
  assertEquals(load("map[execsnoo.bss][0]+8"), [2, 0, 8, "execsnoo.bss"]);
  assertEquals(load('map["a map" fd:3]'), [1, 3, 0, "a map"]);
  assertEquals(load("map[fd:3][0]-1"), [2, 3, -1, undefined]);
  assertEquals(load("map[idx:4]"), [5, 4, 0, undefined]);
  assertEquals(load("map[m idx:4][0]+2"), [6, 4, 2, "m"]);
  assertEquals(load("subprog[+4]"), [4, 4, 0, undefined]);
  assertEquals(load("btf_id[77 fd:5]"), [3, 77, 5, undefined]);
});

Deno.test("assemble() knows calls by number and by distance, and kernel functions of modules", () => {
  const call = (text: string) => {
    const { src, offset, imm } = one(`call ${text}`);
    return [src, offset, imm];
  };
  assertEquals(call("#12"), [0, 0, 12]);
  assertEquals(call("tail_call#12"), [0, 0, 12]);
  assertEquals(call("pc+3"), [1, 0, 3]);
  assertEquals(call("pc-3#bpf_prog_0123456789abcdef_f"), [1, 0, -3]);
  assertEquals(call("kernel-function#5000"), [2, 0, 5000]);
  assertEquals(call("bpf_iter_num_new#5000 fd_array[2]"), [2, 2, 5000]);
});

Deno.test("assemble() takes hexadecimal for 64-bit loads, decimal for moves, unless an opcode says it", () => {
  assertEquals(one("r1 = 0x5").opcode, 0x18);
  assertEquals(one("r1 = -0x5").constant, 0xffff_ffff_ffff_fffbn);
  assertEquals(one("r1 = 0x1122334455667788").constant, 0x1122334455667788n);
  assertEquals(one("r1 = 5").opcode, 0xb7);
  assertEquals(one("w1 = 0x5").opcode, 0xb4);
  assertEquals(one("(b7) r1 = 0x5").opcode, 0xb7);
  assertEquals(one("(18) r1 = 5").opcode, 0x18);
});

Deno.test("assemble() knows what only kernels make", () => {
  assertEquals(one("nospec").opcode, 0xc2);
  assertEquals(one("r1 = &(void __percpu *)(r2)").offset, -1);
  assertEquals(one("goto_or_nop pc+2").src, 1);
});

Deno.test("assemble() takes bytes as numbers", () => {
  const insns = assemble(".8byte 0x95\n.8byte 0x0000000700001118, 0x0000000900000000");
  assertEquals(encode(insns, "little").toHex(), "9500000000000000" + "18110000070000000000000009000000");
});

Deno.test("assemble() reads source lines, with a column or without", () => {
  const insns = assemble(
    "; int x = a @ b; @ dir/exec.bpf.c:12:5\nr0 = 0\n; return 0; @ exec.bpf.c:13\nexit\n; a remark\n",
  );
  assertEquals(insns.map((insn) => insn.get(SOURCE)), [
    { text: "int x = a @ b;", file: "dir/exec.bpf.c", line: 12, column: 5 },
    { text: "return 0;", file: "exec.bpf.c", line: 13, column: 0 },
  ]);
});

Deno.test("assemble() of nothing is nothing", () => {
  assertEquals(assemble(""), []);
  assertEquals(assemble("; a remark\n\n // another\n"), []);
});

function refuses(text: string, message: string): void {
  assertEquals(assertThrows(() => assemble(text), FormatError).message, `assembly: ${message}`);
}

Deno.test("assemble() says line, column and what it expected", () => {
  refuses("exit\n  r1 += foo", 'line 2, column 9: expected a register or a number, not "foo"');
  refuses("r11 = 0", "line 1, column 1: register r11 does not exist");
  refuses("r1 = w2", "line 1, column 6: w2 has not the width of r1");
  refuses("r1 ~ r2", 'line 1, column 4: "~" begins no word of assembly');
  refuses("r1 <", 'line 1, column 4: expected an operator such as =, not "<"');
  refuses("r1 = (s7)r2", 'line 1, column 7: expected s8, s16 or s32, not "s7"');
  refuses("exit now", 'line 1, column 6: expected the end of the line, not "now"');
  refuses("out: (95)", "line 1, column 10: expected an instruction, not the end of the line");
  refuses("frobnicate", 'line 1, column 1: expected an instruction, not "frobnicate"');
  refuses("*(u64 *)(r1 8) = r2", 'line 1, column 13: expected an offset with its sign, not "8"');
  refuses("r0 = le32 r1", 'line 1, column 11: expected "r0", not "r1"');
  refuses("r1 = map[id:7]", "line 1, column 10: programs do not load maps by id: write map[NAME] or map[fd:N]");
});

Deno.test("assemble() says which field a number does not fit", () => {
  refuses(
    "r1 += 4294967296",
    "line 1, column 7: imm 4294967296 does not fit 32 bits: -2147483648 to 2147483647, or 0x0 to 0xffffffff",
  );
  refuses("r1 = *(u64 *)(r2 +32768)", "line 1, column 18: offset 32768 is not in -32768 to 32767");
  refuses("goto pc+32768", "line 1, column 8: distance 32768 is not in -32768 to 32767");
  refuses("r1 = 0x10000000000000000", "line 1, column 6: 18446744073709551616 does not fit 64 bits");
});

Deno.test("assemble() refuses what has words but is no instruction", () => {
  refuses("r0 = *(s64 *)(r1 +0)", "line 1, column 1: no such instruction: unknown opcode 0x99");
  refuses("(b7) r1 = r2", "line 1, column 6: this is opcode bf, but (b7) stands before it");
  refuses("call tail_call#13", "line 1, column 6: tail_call is helper 12, not 13");
  refuses(
    "r1 = atomic_xchg((u64 *)(r2 +0), r1)",
    "line 1, column 6: atomic_xchg is not for this size: 32 bits have atomic_, 64 bits atomic64_",
  );
  refuses(".8byte 0x18", "line 1, column 8: a 64-bit load takes two slots");
});

Deno.test("assemble() names both places of labels that stand twice", () => {
  const error = assertThrows(() => assemble("x: exit\n  x: exit"), LinkError);
  assertEquals(
    error.message,
    'assembly: line 2, column 3: label "x" stands here and at assembly: line 1, column 1',
  );
});

Deno.test("assemble() names jumps to nowhere, and labels before nothing", () => {
  const messages = ["exit\n goto out", "goto x\nx:"].map((text) =>
    assertThrows(() => assemble(text, { what: "test.s" }), LinkError).message
  );
  assertEquals(messages, [
    'test.s: line 2, column 2: jumps to label "out", which stands nowhere',
    'test.s: line 2, column 1: label "x" stands before no instruction',
  ]);
});

Deno.test("assemble() makes gotol of far jumps where that is allowed", () => {
  const text = `goto out\n${"r0 = 0\n".repeat(40_000)}out: exit`;
  const error = assertThrows(() => assemble(text), LinkError);
  assertEquals(
    error.message,
    'assembly: line 1, column 1: jumps 40000 slots to "out" at assembly: line 40002, column 6: a jump reaches 32767, ' +
      "only gotol (instruction set v4) goes further",
  );
  const [first] = assemble(text, { longJumps: true });
  assertEquals([first!.opcode, first!.offset, first!.imm], [0x06, 0, 40_000]);
});

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  BPF_PSEUDO,
  Instruction,
  isFunctionCall,
  isFunctionPointer,
  LABEL,
  Label,
  OPCODE,
  REFERENCE,
  slotCount,
  SOURCE,
} from "../../../lib/asm/mod.ts";
import { LinkError, UnsupportedError } from "../../../lib/errors.ts";
import { linkProgram } from "../../../lib/linker/mod.ts";
import { EXTERN, type ExternSpec } from "../../../lib/spec/mod.ts";
import { call, EXIT, fn, mov, pointer, program } from "./builders.ts";

function names(insns: readonly Instruction[]): string[] {
  return insns.map((insn) => insn.get(LABEL)?.name).filter((name) => name !== undefined);
}

/** Names of the functions that calls and pointers arrive at, in order, by their distance. */
function targets(insns: readonly Instruction[]): string[] {
  const bySlot = new Map<number, Instruction>();
  let slot = 0;
  for (const insn of insns) {
    bySlot.set(slot, insn);
    slot += insn.slots;
  }
  return [...bySlot].filter(([, insn]) => isFunctionCall(insn) || isFunctionPointer(insn))
    .map(([at, insn]) => bySlot.get(at + insn.imm + 1)?.get(LABEL)?.name ?? "nothing");
}

Deno.test("linkProgram() leaves a program without calls as it is, but for its label", () => {
  const main = program([mov(1), EXIT]);
  const linked = linkProgram(main, [fn("unused", [EXIT])]);
  assertEquals(linked.length, 2);
  assertStrictEquals(linked[0]!.get(LABEL), main.label);
  assertStrictEquals(linked[1], EXIT);
});

Deno.test("linkProgram() appends functions depth-first when they are first met", () => {
  // main calls b, a; b calls c; c calls a.
  const a = fn("a", [mov(1), EXIT]);
  const c = fn("c", [call(a.label), EXIT]);
  const b = fn("b", [mov(3), call(c.label), EXIT]);
  const linked = linkProgram(program([call(b.label), call(a.label), EXIT]), [a, b, c]);
  assertEquals(names(linked), ["main", "b", "c", "a"]);
  assertEquals(targets(linked), ["b", "a", "c", "a"]);
});

Deno.test("linkProgram() appends a function once, however often it is called", () => {
  const a = fn("a", [EXIT]);
  const linked = linkProgram(program([call(a.label), call(a.label), EXIT]), [a]);
  assertEquals(names(linked), ["main", "a"]);
  assertEquals(linked[0]!.imm, 2);
  assertEquals(linked[1]!.imm, 1);
});

Deno.test("linkProgram() counts 64-bit loads as two slots", () => {
  const load = Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 1, imm: 7 });
  const a = fn("a", [EXIT]);
  const linked = linkProgram(program([call(a.label), load, load, EXIT]), [a]);
  assertEquals(linked[0]!.imm, 5);
  assertEquals(slotCount(linked), 7);
});

Deno.test("linkProgram() resolves function pointers relative to their first slot", () => {
  const callback = fn("callback", [mov(0), EXIT]);
  const linked = linkProgram(program([mov(1), pointer(callback.label), EXIT]), [callback]);
  assertEquals(linked[1]!.src, BPF_PSEUDO.FUNC);
  assertEquals(linked[1]!.imm, 2);
  assertEquals(linked[1]!.immHigh, 0);
  assertEquals(targets(linked), ["callback"]);
});

Deno.test("linkProgram() tells static functions of one name apart", () => {
  const first = fn("helper", [mov(1), EXIT]);
  const second = fn("helper", [mov(2), EXIT]);
  const linked = linkProgram(program([call(second.label), EXIT]), [first, second]);
  assertEquals(linked[2]!.imm, 2);
});

Deno.test("linkProgram() finds a global function of another object by name", () => {
  const extern: ExternSpec = { name: "shared", kind: "function", section: "", weak: false };
  const callShared = Instruction.of({ opcode: OPCODE.CALL, src: BPF_PSEUDO.CALL, imm: -1 });
  const shared = fn("shared", [mov(1), EXIT], "global");
  const linked = linkProgram(
    program([callShared.with(EXTERN, extern), call(new Label("shared", "global")), EXIT]),
    [shared],
  );
  assertEquals(targets(linked), ["shared", "shared"]);
});

Deno.test("linkProgram() prefers a global function to a weak one of its name, whatever the order", () => {
  const weak = fn("f", [mov(1), EXIT], "weak");
  const strong = fn("f", [mov(2), EXIT], "global");
  for (const functions of [[weak, strong], [strong, weak]]) {
    const linked = linkProgram(program([call(new Label("f", "global")), EXIT]), functions);
    assertEquals(linked[2]!.imm, 2);
  }
});

Deno.test("linkProgram() lets a global function override a weak one that is called by its own label", () => {
  const weak = fn("f", [mov(1), EXIT], "weak");
  const strong = fn("f", [mov(2), EXIT], "global");
  const main = program([call(weak.label), EXIT]);
  assertEquals(linkProgram(main, [weak])[2]!.imm, 1);
  assertEquals(linkProgram(main, [weak, strong])[2]!.imm, 2);
  const other = fn("f", [mov(3), EXIT], "weak");
  assertEquals(linkProgram(main, [other, weak])[2]!.imm, 3);
});

Deno.test("linkProgram() refuses two global functions of one name", () => {
  const functions = [fn("f", [EXIT], "global"), fn("f", [EXIT], "global")];
  assertThrows(() => linkProgram(program([EXIT]), functions), LinkError, 'two global functions are named "f"');
});

Deno.test("linkProgram() keeps metadata and changes neither program nor functions", () => {
  const line = { file: "a.c", line: 3, column: 1, text: "return helper();" };
  const helper = fn("helper", [mov(1).with(SOURCE, line), EXIT]);
  const main = program([call(helper.label).with(SOURCE, line), EXIT]);
  const before = [...main.instructions, ...helper.instructions];
  const linked = linkProgram(main, [helper]);
  assertStrictEquals(linked[0]!.get(SOURCE), line);
  assertStrictEquals(linked[2]!.get(SOURCE), line);
  assertEquals([...main.instructions, ...helper.instructions], before);
  assertEquals(main.instructions[0]!.imm, -1);
  assertEquals(linkProgram(main, [helper]), linked);
});

Deno.test("linkProgram() resolves jumps to labels of the same function", () => {
  const out = new Label("out");
  const jump = Instruction.of({ opcode: 0x15, dst: 1 }).with(REFERENCE, out);
  const long = Instruction.of({ opcode: OPCODE.JA32 }).with(REFERENCE, out);
  const linked = linkProgram(program([jump, long, mov(1), EXIT.with(LABEL, out)]), []);
  assertEquals(linked[0]!.offset, 2);
  assertEquals(linked[1]!.imm, 1);
});

Deno.test("linkProgram() refuses a jump out of its function and one that is too far", () => {
  const out = new Label("out");
  const jump = Instruction.of({ opcode: OPCODE.JA }).with(REFERENCE, out);
  assertThrows(() => linkProgram(program([jump, EXIT]), []), LinkError, 'jumps to "out", which is not in its function');
  const far = [jump, ...new Array<Instruction>(0x8000).fill(mov(0)), EXIT.with(LABEL, out)];
  assertThrows(() => linkProgram(program(far), []), LinkError, "jumps 32768 slots");
});

Deno.test("linkProgram() names the place of a call to nowhere", () => {
  const line = { file: "x.bpf.c", line: 31, column: 9, text: "" };
  const main = program([mov(1).with(SOURCE, line), call(new Label("gone")), EXIT]);
  assertThrows(
    () => linkProgram(main, []),
    LinkError,
    'program "main" (section "xdp"), instruction 1, x.bpf.c:31: refers to "gone"',
  );
});

Deno.test("linkProgram() refuses recursion, direct and through others, and shows the path", () => {
  const self = new Label("self");
  const direct = { label: self, section: ".text", instructions: [call(self), EXIT] };
  assertThrows(() => linkProgram(program([call(self), EXIT]), [direct]), LinkError, "endless recursion: self -> self");
  const ping = new Label("ping");
  const pong = fn("pong", [call(ping), EXIT]);
  const functions = [{ label: ping, section: ".text", instructions: [call(pong.label), EXIT] }, pong];
  assertThrows(
    () => linkProgram(program([call(ping), EXIT]), functions),
    LinkError,
    "endless recursion: ping -> pong -> ping",
  );
});

Deno.test("linkProgram() finds recursion through a function that was placed for its address", () => {
  const outer = new Label("outer");
  const inner = fn("inner", [call(outer), EXIT]);
  const instructions = [pointer(inner.label), call(inner.label), EXIT];
  assertThrows(
    () => linkProgram(program([call(outer), EXIT]), [{ label: outer, section: ".text", instructions }, inner]),
    LinkError,
    "endless recursion: outer -> inner -> outer",
  );
});

Deno.test("linkProgram() lets a callback pass its own address on", () => {
  const label = new Label("callback");
  const callback = { label, section: ".text", instructions: [pointer(label), EXIT] };
  const linked = linkProgram(program([pointer(label), EXIT]), [callback]);
  assertEquals(targets(linked), ["callback", "callback"]);
});

Deno.test("linkProgram() survives a chain of thousands of functions", () => {
  const last = fn("f0", [EXIT]);
  const functions = [last];
  for (let i = 1; i < 20_000; i++) functions.push(fn(`f${i}`, [call(functions[i - 1]!.label), EXIT]));
  const linked = linkProgram(program([call(functions.at(-1)!.label), EXIT]), functions);
  assertEquals(linked.length, 2 + 1 + 2 * 19_999);
});

Deno.test("linkProgram() names externs and features that it cannot link", () => {
  const load = Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 1 });
  const extern = (kind: ExternSpec["kind"]): ExternSpec => ({ name: "thing", kind, section: "", weak: false });
  for (const kind of ["kconfig", "ksym", "ksym_var", "kfunc"] as const) {
    const error = assertThrows(
      () => linkProgram(program([load.with(EXTERN, extern(kind)), EXIT]), []),
      UnsupportedError,
      'instruction 0: refers to extern "thing", and the kernel is not known: ',
    );
    assertEquals(error.feature, "kernel facts");
  }
  assertThrows(
    () => linkProgram(program([load.with(EXTERN, extern("map")), EXIT]), []),
    LinkError,
    'refers to extern map "thing", which no object that is linked defines',
  );
});

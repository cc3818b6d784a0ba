import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as asm from "../../../lib/asm/build/mod.ts";
import { assemble, print } from "../../../lib/asm/text/mod.ts";
import {
  copyWithOwnLabels,
  decode,
  encode,
  type Instruction,
  LABEL,
  Label,
  REFERENCE,
  resolveReferences,
  SOURCE,
} from "../../../lib/asm/mod.ts";
import { BtfBuilder, marshalExtInfos } from "../../../lib/btf/mod.ts";
import { applyFixup, type CoreFixup } from "../../../lib/core/mod.ts";

/** An instruction, and apart from it the line that it must name: what is done to one is done to the other. */
interface Tracked {
  readonly insn: Instruction;
  readonly line: number | undefined;
  /** The label that stands here, and the one that is referred to. */
  readonly label: Label | undefined;
  readonly reference: Label | undefined;
}

type Program = readonly Tracked[];

/** A step of the random edit: it may take any two programs that there are so far. */
type Step = (programs: readonly Program[]) => Program;

const POISON = { poison: true } as CoreFixup;

/** Some instructions of different sizes; each has a line of its own, counted on from `first`. */
function makeProgram(kinds: readonly number[], first: number): Program {
  const loop = new Label(`loop${first}`);
  return kinds.map((kind, index) => {
    const line = first + index;
    const forms = [
      asm.mov64(asm.R1, line),
      asm.loadImm64(asm.R2, BigInt(line)),
      asm.jeq64(asm.R1, 0, loop),
      asm.load("u32", asm.R0, asm.at(asm.R1, 4)),
      asm.exit(),
    ];
    const label = index === 0 ? loop : undefined;
    const insn = forms[kind % forms.length]!.with(LABEL, label)
      .with(SOURCE, { file: "a.c", line, column: 1, text: `line ${line}` });
    return { insn, line, label, reference: insn.get(REFERENCE) };
  });
}

const index = fc.nat({ max: 1000 });

/** Chooses one of some programs; none is a program, too. */
function pick(programs: readonly Program[], at: number): Program {
  return programs[at % programs.length] ?? [];
}

let nextLine = 1;
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.array(index, { minLength: 1, maxLength: 6 }).map((kinds): Step => () => {
    nextLine += kinds.length;
    return makeProgram(kinds, nextLine - kinds.length);
  }),
  fc.tuple(index, index).map(([a, b]): Step => (programs) => [...pick(programs, a), ...pick(programs, b)]),
  fc.tuple(index, index, index).map(([a, from, to]): Step => (programs) => {
    const program = pick(programs, a);
    return program.slice(from % (program.length + 1), to % (program.length + 1));
  }),
  fc.tuple(index, index, index).map(([a, b, place]): Step => (programs) => {
    const program = pick(programs, a);
    const cut = place % (program.length + 1);
    return [...program.slice(0, cut), ...pick(programs, b), ...program.slice(cut)];
  }),
  fc.tuple(index, index).map(([a, place]): Step => (programs) =>
    edit(pick(programs, a), place, (tracked) => [
      { ...tracked, insn: tracked.insn.edit({ imm: 7, offset: 0 }) },
    ])
  ),
  fc.tuple(index, index).map(([a, place]): Step => (programs) =>
    edit(pick(programs, a), place, (tracked) => {
      // A poisoned 64-bit load is two calls; what the first one names, the second does not.
      const [call, ...more] = applyFixup(tracked.insn, POISON);
      return [{ ...tracked, insn: call! }, ...more.map((insn) => ({ ...BARE, insn }))];
    })
  ),
  index.map((a): Step => (programs) => {
    // Inlining: the same code again, with labels of its own.
    const program = pick(programs, a);
    const copies = copyWithOwnLabels(program.map(({ insn }) => insn));
    return program.map(({ line }, i) => {
      const insn = copies[i]!;
      return { insn, line, label: insn.get(LABEL), reference: insn.get(REFERENCE) };
    });
  }),
);

const BARE = { line: undefined, label: undefined, reference: undefined };

function edit(program: Program, place: number, change: (tracked: Tracked) => Program): Program {
  if (program.length === 0) return program;
  const at = place % program.length;
  return [...program.slice(0, at), ...change(program[at]!), ...program.slice(at + 1)];
}

/** What `line_info` says: line by slot. */
function marshalledLines(insns: readonly Instruction[]): [slot: number, line: number][] {
  const { lineInfo, lineInfoCount } = marshalExtInfos(insns, new BtfBuilder({ order: "little" }));
  const view = new DataView(lineInfo.buffer, lineInfo.byteOffset);
  return Array.from({ length: lineInfoCount }, (_, i) => [
    view.getUint32(i * 16, true),
    view.getUint32(i * 16 + 12, true) >>> 10,
  ]);
}

function check(program: Program): void {
  const insns = program.map(({ insn }) => insn);
  assertEquals(insns.map((insn) => insn.get(SOURCE)?.line), program.map(({ line }) => line));
  assertEquals(insns.map((insn) => insn.get(LABEL)), program.map(({ label }) => label));
  assertEquals(insns.map((insn) => insn.get(REFERENCE)), program.map(({ reference }) => reference));
  let slot = 0;
  const expected: [number, number][] = [];
  for (const { insn, line } of program) {
    if (line !== undefined) expected.push([slot, line]);
    slot += insn.slots;
  }
  assertEquals(marshalledLines(insns), expected);
}

Deno.test("every instruction still names its own source line after random joins, slices, edits, poisoning and inlining", () => {
  fc.assert(
    fc.property(fc.array(steps, { minLength: 1, maxLength: 12 }), (sequence) => {
      nextLine = 1;
      const programs: Program[] = [];
      for (const step of sequence) programs.push(step(programs).slice(0, 40));
      check(programs[programs.length - 1]!);
      // What was made of a program leaves the program as it was.
      check(programs[0]!);
    }),
    { numRuns: 10_000, seed: 606 },
  );
});

Deno.test("jumps still reach the instruction that they named after random insertions and removals", () => {
  const insertions = fc.array(fc.tuple(index, index), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(index, { minLength: 2, maxLength: 12 }), insertions, (kinds, changes) => {
      let program = [...makeProgram(kinds, 1)];
      for (const [place, kind] of changes) {
        const at = place % (program.length + 1);
        // The instruction that carries the label stays.
        if (kind % 3 === 0 && program[at] !== undefined && program[at]!.label === undefined) program.splice(at, 1);
        else program = [...program.slice(0, at), ...makeProgram([kind * 5 + kind % 2], 1000), ...program.slice(at)];
      }
      const insns = resolveReferences(program.map(({ insn }) => insn));
      const slots: (Instruction | undefined)[] = insns.flatMap((insn) => insn.slots === 2 ? [insn, undefined] : [insn]);
      slots.forEach((insn, slot) => {
        const reference = insn?.get(REFERENCE);
        if (insn === undefined || reference === undefined) return;
        assertEquals(slots[slot + 1 + insn.offset]?.get(LABEL), reference);
      });
      assertEquals(encode(decode(encode(insns, "little"), "little"), "little"), encode(insns, "little"));
      assertEquals(encode(assemble(print(insns)), "little"), encode(insns, "little"));
    }),
    { numRuns: 1000, seed: 606 },
  );
});

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { command } from "../../cli/explain.ts";
import { RelocationError } from "../../lib/errors.ts";
import { CapturedOutput } from "../support/captured_output.ts";
import { inRepository } from "../support/mod.ts";

function object(name: string): string {
  return inRepository("testdata", "clang19", `${name}.bpf.o`);
}

function kernel(name: string): string {
  return inRepository("testdata", "targets", `${name}.btf`);
}

const KNOWN = object("core_known");
const BOTH = ["--btf", kernel("known_old"), "--btf", kernel("known_new")];

async function explain(args: string[], json = false): Promise<{ code: number; lines: string[]; notes: string[] }> {
  const output = new CapturedOutput({ json });
  const code = await command.run(args, { output });
  return { code, lines: output.lines, notes: output.notes };
}

/** The line of C before a relocation, and the lines about it. */
function block(lines: readonly string[], slot: number, question: string): string[] {
  const at = lines.findIndex((line) => line.startsWith(`${String(slot).padStart(6)}: `) && line.includes(question));
  assert(at >= 0, `nothing about "${question}" of instruction ${slot}`);
  const source = lines.slice(0, at).findLast((line) => /^ {2}\S/.test(line)) ?? "";
  const length = lines.slice(at + 1).findIndex((line) => !line.startsWith("        "));
  return [source, ...lines.slice(at, at + 1 + length)];
}

/** Line of core_known.bpf.c that `text` is on. */
function sourceLine(text: string): number {
  const lines = Deno.readTextFileSync(inRepository("testdata", "core_known.bpf.c")).split("\n");
  return lines.findIndex((line) => line.includes(text)) + 1;
}

Deno.test("explain shows C line, instruction, question, answer, new instruction and the type taken", async () => {
  const { code, lines, notes } = await explain([KNOWN, "--btf", kernel("known_old")]);
  assertEquals([code, notes], [0, []]);
  assert(lines.includes('program "access" (section "raw_tp")'));
  assertEquals(block(lines, 0, "struct widget.small"), [
    `  ./testdata/core_known.bpf.c:${sourceLine("widget->id = widget->small;")}  widget->id = widget->small;`,
    "     0: (61) r2 = *(u32 *)(r1 +24)    field_byte_offset of struct widget.small (in the object: 24)",
    "        known_old  16      (61) r2 = *(u32 *)(r1 +16)  struct widget.small at offset 16 [id 1]",
  ]);
  assertEquals(lines.at(-1), "known_old: 32 relocations: 30 found, 2 missing");
});

Deno.test("explain shows each kernel's answer, and in which of them a field is", async () => {
  const { code, lines } = await explain([KNOWN, ...BOTH]);
  assertEquals(code, 0);
  assertEquals(block(lines, 22, "field_exists of struct widget.parts[3]").slice(2), [
    "        known_old  0       (b7) r2 = 0  struct part[2] has no element 3 [id 1]",
    "                                        widget [id 18] is not of the kind of the object's struct widget",
    "        known_new  1       (b7) r2 = 1  struct widget.parts[3] at offset 112 [id 1]",
    "        in known_new; not in known_old",
  ]);
  assertEquals(block(lines, 1, "struct widget.id").slice(2), [
    "        known_old  0       (63) *(u32 *)(r1 +0) = r2    struct widget.id at offset 0 [id 1]",
    "        known_new  POISON  (85) call unknown#195896080  struct widget.id at offset 160 [id 1]: 4 bytes in the object, " +
    "8 here, and only pointers and unsigned integers may change their size",
  ]);
  assertEquals(lines.slice(-2), [
    "known_old: 32 relocations: 30 found, 2 missing",
    "known_new: 32 relocations: 29 found, 2 missing, 2 poisoned",
  ]);
});

Deno.test("explain --missing shows only what a kernel lacks, PROGRAM only one program", async () => {
  const { lines } = await explain([KNOWN, "--missing", ...BOTH]);
  const asked = lines.filter((line) => /^ +\d+: /.test(line)).map((line) => / of (.*?) \(/.exec(line)?.[1]);
  assertEquals(asked, [
    "struct widget.parts[3]",
    "struct widget.color",
    "struct widget.owner",
    "struct widget.owner",
    "struct widget.gone",
    "struct widget.id",
  ]);
  const one = await explain([KNOWN, "access", ...BOTH]);
  assertEquals(one.lines.filter((line) => line.startsWith("program ")), ['program "access" (section "raw_tp")']);
  const none = await explain([KNOWN, "access", "--missing", "--btf", kernel("known_old")]);
  assertEquals(none.lines[0], "core_known: no relocation to show");
  await assertRejects(
    () => explain([KNOWN, "acess", ...BOTH]),
    Error,
    'core_known: no program or function "acess"; there are known, access',
  );
});

Deno.test("explain shows all candidates of an ambiguous relocation, and fails", async () => {
  const { code, lines } = await explain([object("core_ambiguous"), "--btf", kernel("known_ambiguous")]);
  assertEquals(code, 1);
  const [, , first, second] = block(lines, 0, "field_byte_offset of struct widget.name");
  assertStringIncludes(first!, "ERROR");
  assertStringIncludes(first!, "struct widget.name at offset 4, ambiguous with struct widget___other [id 7]");
  assertStringIncludes(second!, "struct widget___other.name at offset 8, ambiguous with struct widget [id 1]");
  const [, , chosen, agrees] = block(lines, 0, "field_byte_offset of struct widget.id");
  assertStringIncludes(chosen!, "struct widget.id at offset 0 [id 1]");
  assertStringIncludes(agrees!, "struct widget___other [id 7] agrees");
});

Deno.test("explain -j prints one object a relocation", async () => {
  const { code, lines } = await explain([KNOWN, "access", ...BOTH], true);
  assertEquals([code, lines.length], [0, 6]);
  const { kernels, ...entry } = JSON.parse(lines[1]!);
  assertEquals({ ...entry, column: 0 }, {
    program: "access",
    section: "raw_tp",
    insn: 1,
    file: "./testdata/core_known.bpf.c",
    line: sourceLine("widget->id = widget->small;"),
    column: 0,
    source: "widget->id = widget->small;",
    relocation: entry.relocation,
    kind: "field_byte_offset",
    accessor: "0:2",
    subject: "struct widget.id",
    type_id: entry.type_id,
    offset_bits: 128,
    value: 16,
    old: "(63) *(u32 *)(r1 +16) = r2",
    found_in: ["known_old", "known_new"],
    missing_in: [],
  });
  const chosen = { type_id: 1, type: "struct widget", verdict: "chosen", nearest: [] };
  assertEquals({ ...kernels[1], text: "", candidates: [kernels[1].candidates[0]] }, {
    kernel: "known_new",
    found: true,
    poisoned: true,
    value: 160,
    new: ["(85) call unknown#195896080"],
    width: { local: 4, target: 8, safe: false },
    candidates: [{
      ...chosen,
      target: "known_new",
      text: "struct widget.id at offset 160",
      access: "struct widget.id",
      offset_bits: 1280,
    }],
    text: "",
  });
});

Deno.test("explain -j prints 64-bit values exactly, and both slots of a poisoned 64-bit load", async () => {
  const { lines } = await explain([KNOWN, "known", ...BOTH], true);
  assert(lines.some((line) => line.includes('"value":1234605616436508552,')));
  const missing = await explain([object("core_missing"), "missing_value", "--btf", kernel("known_old")], true);
  const poisoned = missing.lines.map((line) => JSON.parse(line).kernels[0].new.length);
  assertEquals(poisoned, [1, 2]);
});

Deno.test("explain says in one sentence that object and kernel are of different byte orders", async () => {
  await assertRejects(
    () => explain([KNOWN, "--btf", kernel("known_old"), "--btf", kernel("known_new.eb")]),
    RelocationError,
    'core_known is little-endian and "known_new.eb" is big-endian',
  );
});

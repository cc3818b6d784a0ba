import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { UsageError } from "../../cli/command.ts";
import { command } from "../../cli/disasm.ts";
import { command as inspect } from "../../cli/inspect.ts";
import { CapturedOutput } from "../support/captured_output.ts";
import { inRepository } from "../support/mod.ts";

const EVENTS = inRepository("testdata", "clang19", "events.bpf.o");

async function disasm(...args: string[]): Promise<string> {
  const output = new CapturedOutput();
  assertEquals(await command.run(args, { output }), 0);
  return output.lines.join("\n");
}

Deno.test("disasm --cfg dot draws the blocks of one program, with C lines", async () => {
  const text = await disasm(EVENTS, "emit_many", "--cfg", "dot");
  assertMatch(text, /^digraph "emit_many" \{/);
  assertEquals(text.match(/subgraph cluster_/g)?.length, 1);
  assertMatch(text, /f0b0 \[label="emit_many:\\l; int emit_many\(u64 \*args\) @ events\.bpf\.c:\d+\\l/);
  assertMatch(text, /f0b\d -> f0b\d \[label="yes", penwidth=2\]/);
});

Deno.test("disasm --cfg mermaid and svg draw all programs of an object", async () => {
  const mermaid = await disasm(EVENTS, "--cfg", "mermaid");
  assertStringIncludes(mermaid, "flowchart TD");
  const svg = await disasm(EVENTS, "--cfg", "svg");
  assert(svg.startsWith("<svg ") && svg.endsWith("</svg>"));
  for (const name of ["emit_tagged", "emit_two", "emit_many"]) {
    assertStringIncludes(mermaid, `["${name}"]`);
    assertStringIncludes(svg, `>${name}</text>`);
  }
});

Deno.test("disasm --cfg refuses forms that it does not know, and options that do not go with it", async () => {
  await assertRejects(() => disasm(EVENTS, "--cfg", "png"), UsageError, '--cfg: "png" is none of dot, mermaid, svg');
  await assertRejects(() => disasm(EVENTS, "--cfg", "dot", "--opcodes"), UsageError, "--cfg prints a graph");
});

Deno.test("disasm names kernel functions and variables that are yet to be linked", async () => {
  const text = await disasm(inRepository("testdata", "clang19", "extern_ksyms.bpf.o"));
  assertStringIncludes(text, "(18) r2 = bpf_prog_active");
  assertStringIncludes(text, "call bpf_task_from_pid");
});

Deno.test("inspect says the oldest kernel that can run an object, and why", async () => {
  const output = new CapturedOutput();
  await inspect.run([EVENTS], { output });
  const text = output.lines.join("\n");
  assertStringIncludes(text, "Oldest kernel that can run it: 5.8");
  assertMatch(text, /helper bpf_ringbuf_reserve +program "emit_tagged", events\.bpf\.c:\d+/);
  assertMatch(text, /map type BPF_MAP_TYPE_RINGBUF +map "tagged"/);
});

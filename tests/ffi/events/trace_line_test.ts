import { assertEquals } from "@std/assert";
import { parseTraceLine, TraceParser } from "../../../ffi/events/trace_line.ts";

Deno.test("parseTraceLine() reads the columns of the trace pipe", () => {
  const line = "            bash-4211    [001] d..2. 12345.678901: bpf_trace_printk: hello: 7";
  assertEquals(parseTraceLine(line), {
    task: "bash",
    pid: 4211,
    tgid: undefined,
    cpu: 1,
    flags: "d..2.",
    timeSeconds: 12345.678901,
    event: "bpf_trace_printk",
    text: "hello: 7",
  });
});

for (
  const [what, line, expected] of [
    ["a name with dashes, digits and a space", "  kworker/u8:1-a 3-77      [012] ..... 1.000001: e: x", {
      task: "kworker/u8:1-a 3",
      pid: 77,
      cpu: 12,
    }],
    ["a name that the kernel forgot", "           <...>-9       [000] ....1 0.5: e: x", { task: "<...>", pid: 9 }],
    ["the option record-tgid", "  a-8     (      7) [000] .N.1. 2.5: e: x", { pid: 8, tgid: 7, flags: ".N.1." }],
    ["a process that is not known", "  a-8     (-------) [000] ..... 2.5: e: x", { pid: 8, tgid: undefined }],
    ["no flags", "  a-8 [000] 2.5: sched_switch: prev=x next=y", {
      flags: "",
      event: "sched_switch",
      text: "prev=x next=y",
    }],
    ["a clock that counts", "  a-8 [000] ..... 17: e: x", { timeSeconds: 17 }],
    ["no text", "  a-8 [000] ..... 1.5: bpf_trace_printk: ", { event: "bpf_trace_printk", text: "" }],
  ] as const
) {
  Deno.test(`parseTraceLine() reads a line with ${what}`, () => {
    const parsed = parseTraceLine(line) as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(expected)) assertEquals(parsed[name], value, name);
  });
}

Deno.test("parseTraceLine() gives nothing for a line without a head", () => {
  for (const line of ["", "second", "# tracer: nop", "[000] 1.5: x"]) assertEquals(parseTraceLine(line), undefined);
});

Deno.test("TraceParser puts together lines that come in pieces, and texts of several lines", () => {
  const parser = new TraceParser();
  const text = "  a-1 [000] ..... 1.5: e: one\n  a-1 [000] ..... 1.6: e: two\nmore\n\nCPU:1 [LOST 12 EVENTS]\n" +
    "  a-1 [000] ..... 1.7: e: three\n";
  assertEquals(parser.push(text).map((line) => line.text), ["one", "two\nmore", "three"]);
  const pieces = [...text].flatMap((character) => parser.push(character));
  assertEquals(pieces.map((line) => line.text), ["one", "two", "more", "three"]);
  assertEquals([parser.lost, pieces[2]?.timeSeconds], [24, 1.6]);
});

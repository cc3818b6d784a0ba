/**
 * What programs print: to the trace pipe, to their own streams; read by the library, `run --trace` and `prog tracelog`.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Collection, ProgramStream, sys, type TraceLine, TracePipe, UnsupportedError } from "../../mod.ts";
import { hasFeature } from "../support/features.ts";
import { needs, openFds } from "../support/mod.ts";
import { args, COMPILERS, objectSpec, procStatus } from "./support.ts";

/** Numbers of this process: others may run the same test, and one reader takes the lines from the other. */
const FIRST = Deno.pid * 100;

function own({ text }: TraceLine): boolean {
  const number = Number(/^debpf test (\d+)/.exec(text)?.[1]);
  return number >= FIRST && number < FIRST + 100;
}

for (const compiler of COMPILERS) {
  Deno.test({
    name: `${compiler}/trace pipe: bpf_printk's lines, with their task, in order`,
    ...needs({ bpf: true, btf: true, tracefs: true }),
    fn: async () => {
      using collection = Collection.load(objectSpec(compiler, "printing"));
      const before = openFds().size;
      const lines: TraceLine[] = [];
      const pipe = new TracePipe();
      let said = 0;
      const timer = setInterval(() => collection.program("say").run({ ctx: args(FIRST + said++, 0) }), 1);
      for await (const line of pipe) if (own(line) && lines.push(line) === 10) break;
      clearInterval(timer);
      assert(pipe.closed);
      assertEquals(lines.map(({ text }) => text), lines.map((_, i) => `debpf test ${FIRST + i}: hello`));
      const [{ task, pid, cpu, event, timeSeconds, flags }] = lines as [TraceLine];
      // The kernel remembers names of tasks by the way, and writes "<...>" for one that it has not met.
      assert([procStatus("thread-self", "Name"), "<...>"].includes(task), task);
      assertEquals([pid, cpu, event, typeof timeSeconds], [
        Number(procStatus("thread-self", "Pid")),
        cpu,
        "bpf_trace_printk",
        "number",
      ]);
      assert(sys.onlineCpus().includes(cpu) && flags.length >= 4 && timeSeconds > 0, JSON.stringify(lines[0]));
      assert(lines.every((line, i) => i === 0 || line.timeSeconds >= lines[i - 1]!.timeSeconds));
      for (let i = 0; i < 200 && openFds().size !== before; i++) await new Promise((resolve) => setTimeout(resolve, 5));
      assertEquals(openFds().size, before);
    },
  });

  Deno.test({
    name: `${compiler}/trace pipe: a text of several lines is one`,
    ...needs({ bpf: true, btf: true, tracefs: true }),
    fn: async () => {
      using collection = Collection.load(objectSpec(compiler, "printing"));
      const controller = new AbortController();
      using pipe = new TracePipe({ signal: controller.signal });
      collection.program("say_lines").run({ ctx: args(FIRST, 0) });
      collection.program("say").run({ ctx: args(FIRST + 1, 0) });
      const lines: string[] = [];
      for await (const line of pipe) {
        if (!own(line)) continue;
        if (lines.push(line.text) === 2) controller.abort();
      }
      assertEquals(lines, [`debpf test ${FIRST}: first\nsecond`, `debpf test ${FIRST + 1}: hello`]);
    },
  });

  Deno.test({
    name: `${compiler}/program streams: stdout and stderr`,
    ...needs({ bpf: true, btf: true, features: ["streamPrint"] }),
    fn: async () => {
      using collection = Collection.load(objectSpec(compiler, "program_stream"));
      const program = collection.program("say");
      const say = (n: number) => program.run({ ctx: args(n) });
      using stdout = new ProgramStream(program);
      using stderr = new ProgramStream(program, "stderr", { intervalMs: 1 });
      assertEquals([stdout.read(), stderr.read()], ["", ""]);
      say(1);
      say(2);
      assertEquals(stdout.read(), "out 1\nout 2\n");
      const lines: string[] = [];
      setTimeout(() => say(3), 5);
      for await (const line of stderr) if (lines.push(line) === 3) break;
      assertEquals([lines, stdout.read(), stderr.read()], [["err 1", "err 2", "err 3"], "out 3\n", ""]);
    },
  });
}

Deno.test({
  name: "program streams: closing and aborting end the loop; a kernel without them is named",
  ...needs({ bpf: true, btf: true }),
  fn: async () => {
    using collection = Collection.load(objectSpec("clang19", "printing"));
    const program = collection.program("say");
    const controller = new AbortController();
    const stream = new ProgramStream(program, "stdout", { signal: controller.signal });
    if (!hasFeature("programStreams")) {
      const { message } = assertThrows(() => stream.read(), UnsupportedError);
      return assertEquals(message, "streams of programs: not supported (needs Linux 6.17 or newer)");
    }
    setTimeout(() => controller.abort(), 5);
    for await (const line of stream) throw new Error(`unexpected ${line}`);
    for await (const line of new ProgramStream(program, "stdout", { signal: controller.signal })) {
      throw new Error(`unexpected ${line}`);
    }
  },
});

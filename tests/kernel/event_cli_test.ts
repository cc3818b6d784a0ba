/**
 * Commands that print what programs send: `run` with perf event arrays and --trace, `prog tracelog`, `map event_pipe`,
 * `iter`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { BpfIterator, Collection } from "../../mod.ts";
import { inRepository, needs, runCli } from "../support/mod.ts";
import { args, objectSpec } from "./support.ts";

const ITERATORS = inRepository("testdata", "clang19", "iterators.bpf.o");

/** A command that goes on until it is told to end. */
class Command implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(...words: string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", "--allow-ffi", inRepository("cli.ts"), ...words],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = linesOf(this.#process.stdout);
  }

  /** The next line that `wanted` takes. */
  async line(wanted: (line: string) => boolean = () => true): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error("the command has ended");
      if (wanted(value)) return value;
    }
  }

  /** Ends it as Ctrl-C does; gives its exit code. */
  async interrupt(): Promise<number> {
    this.#process.kill("SIGINT");
    return (await this.#process.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It has ended.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#process.status;
    await this.#lines.return?.();
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** Does `action` over and over while the result is not disposed of. */
function repeating(action: () => void): Disposable {
  const timer = setInterval(action, 20);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

for (const json of [false, true]) {
  const how = json ? " -j" : "";

  Deno.test({
    name: `debpf prog tracelog${how} prints what bpf_printk writes, until Ctrl-C`,
    ...needs({ bpf: true, btf: true, tracefs: true }),
    fn: async () => {
      using collection = Collection.load(objectSpec("clang19", "printing"));
      await using command = new Command("prog", "tracelog", ...(json ? ["-j"] : []));
      using _ = repeating(() => collection.program("say").run({ ctx: args(77, 0), cpu: 0 }));
      const line = await command.line((line) => line.includes("debpf test 77"));
      if (json) {
        const { trace } = JSON.parse(line);
        assertEquals(Object.keys(trace), ["task", "pid", "cpu", "flags", "time", "text"]);
        assertEquals([trace.cpu, trace.text], [0, "debpf test 77: hello"]);
      } else assert(/^\d+\.\d{6} \[000\] .*-\d+: debpf test 77: hello$/.test(line), line);
      assertEquals(await command.interrupt(), 0);
    },
  });

  Deno.test({
    name: `debpf map event_pipe${how} prints records with time and CPU, until Ctrl-C`,
    ...needs({ bpf: true, btf: true }),
    fn: async () => {
      using collection = Collection.load(objectSpec("clang19", "perf_events"));
      const map = collection.map("events");
      await using command = new Command("map", "event_pipe", "id", `${map.id}`, ...(json ? ["-j"] : []));
      using _ = repeating(() => collection.program("emit").run({ ctx: args(1, 0x0102), cpu: 0 }));
      const line = await command.line();
      if (json) {
        const { type, cpu, index, timestamp, data } = JSON.parse(line);
        assertEquals([type, cpu, index, typeof timestamp, data.length], [9, 0, 0, "number", 28]);
        assertEquals(data.slice(0, 4), ["0x02", "0x01", "0x00", "0x00"]);
      } else {
        assert(/^== @\d+\.\d{9} CPU: 0 index: 0 =====$/.test(line), line);
        assertEquals(await command.line(), "02 01 00 00 00 00 00 00 00 00 00 00 70 65 72 66");
      }
      assertEquals(await command.interrupt(), 0);
    },
  });

  Deno.test({
    name: `debpf iter show${how} prints what an iterator writes: text, structs, a pinned one's`,
    ...needs({ bpf: true, btf: true, bpffs: true }),
    fn: async () => {
      const show = async (...words: string[]) => {
        const { code, stdout, stderr } = await runCli(["iter", ...words, ...(json ? ["-j"] : [])]);
        assertEquals([code, stderr], [0, ""]);
        return stdout.trimEnd().split("\n");
      };
      const heading = json ? '"pid tgid comm"' : "pid tgid comm";
      assertEquals((await show("show", ITERATORS, "--program", "task_text"))[0], heading);
      const structs = await show("show", ITERATORS, "--program", "task_records", "--type", "task_record");
      if (json) assertEquals(Object.keys(JSON.parse(structs[0]!)), ["pid", "tgid", "comm"]);
      else assertEquals(structs[0]!.trim().split(/ +/), ["PID", "TGID", "COMM"]);
      const path = `/sys/fs/bpf/debpf_test_iter_${Deno.pid}`;
      await show("pin", ITERATORS, path, "--program", "task_text");
      try {
        assertEquals((await show("show", path))[0], heading);
        using pinned = BpfIterator.openPinned(path);
        assertEquals((await pinned.lines().next()).value, "pid tgid comm");
      } finally {
        await Deno.remove(path);
      }
    },
  });
}

Deno.test({
  name: "debpf iter says which iterators there are, and refuses what is not clear",
  ...needs({ bpf: true, btf: true }),
  fn: async () => {
    const { stdout } = await runCli(["iter", "list", ITERATORS, "-j"]);
    assertEquals(JSON.parse(stdout), [
      { name: "task_text", walks: "task" },
      { name: "task_records", walks: "task" },
      { name: "elements", walks: "bpf_map_elem" },
    ]);
    const refused: [string[], number, string][] = [
      [["iter", "show", ITERATORS], 2, "has several iterators: --program says which"],
      [["iter", "show", ITERATORS, "--program", "none"], 1, 'no iterator "none"; it has "task_text"'],
      [["iter", "show", ITERATORS, "--program", "task_text", "--type", "no_such"], 2, "has no such struct"],
      [["iter", "walk"], 2, 'debpf iter has no "walk"'],
      [["map", "event_pipe", "id", "1", "cpu", "0"], 2, "cpu and index have to be given together"],
    ];
    for (const [words, exit, message] of refused) {
      const { code, stderr } = await runCli(words);
      // Map 1 may be gone: then that is what is said.
      if (code === 1 && exit === 2 && /ENOENT|no map/.test(stderr)) continue;
      assertEquals([code, stderr.includes(message)], [exit, true], stderr);
    }
  },
});

Deno.test({
  name: "debpf run --trace prints what programs of the object write with bpf_printk, beside their events",
  ...needs({ bpf: true, btf: true, tracefs: true }),
  fn: async () => {
    const object = inRepository("examples", "execsnoop", "execsnoop.bpf.o");
    using collection = Collection.load(objectSpec("clang19", "printing"));
    await using command = new Command("run", object, "--trace", "-j");
    using _ = repeating(() => collection.program("say").run({ ctx: args(78, 0) }));
    const line = await command.line((line) => line.includes("debpf test 78"));
    assertEquals(JSON.parse(line).trace.text, "debpf test 78: hello");
    assertEquals(await command.interrupt(), 0);
  },
});

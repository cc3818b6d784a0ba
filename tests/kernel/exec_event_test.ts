/**
 * An event of the bundled execsnoop equals what /proc says of the process.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Collection, readCollectionSpec } from "../../mod.ts";
import { execsnoopObject } from "../../cli/bundled/execsnoop.ts";
import { inRepository, needs, openFds, runCli } from "../support/mod.ts";
import { procStatus, Starts } from "./support.ts";

Deno.test("the embedded execsnoop is the object in examples/", () => {
  assertEquals(execsnoopObject(), Deno.readFileSync(inRepository("examples", "execsnoop", "execsnoop.bpf.o")));
});

Deno.test({
  name: "an exec event has the pid, parent, user, name and file of the process in /proc",
  ...needs({ bpf: true, btf: true, program: "sleep" }),
  fn: async () => {
    const before = openFds().size;
    {
      using collection = Collection.load(readCollectionSpec(execsnoopObject(), { name: "execsnoop.bpf.o" }));
      collection.attach();
      using events = collection.events("events");
      using child = new ChildProcess("/usr/bin/sleep", ["60"]);
      for await (const event of events) {
        if (event.pid !== child.pid) continue;
        assertEquals(event.ppid, Number(procStatus(child.pid, "PPid")));
        assertEquals(event.uid, Number(procStatus(child.pid, "Uid").split(/\s+/)[0]));
        assertEquals(event.comm, procStatus(child.pid, "Name"));
        assertEquals(event.filename, "/usr/bin/sleep");
        assert(typeof event.time === "bigint" && event.time > 0n);
        break;
      }
      await child.end();
    }
    assertEquals(openFds().size, before);
  },
});

Deno.test({
  name: "debpf run prints a row for a program that starts, with a heading from BTF, and ends after --count",
  ...needs({ bpf: true, btf: true, program: "true" }),
  fn: async () => {
    await using _starts = new Starts();
    const { code, stdout, stderr } = await runCli(["run", "--count", "3"]);
    assertEquals([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n");
    assertEquals(lines.length, 4);
    assertEquals(lines[0]!.trim().split(/\s+/), ["TIME", "PID", "PPID", "UID", "COMM", "FILENAME"]);
    assert(/^\d\d:\d\d:\d\d\.\d{3} +\d+ +\d+ +\d+ +\S+ +\S+/.test(lines[1]!), lines[1]);
  },
});

Deno.test({
  name: "debpf run --set filters before loading: no row of another user",
  ...needs({ bpf: true, btf: true, program: "true" }),
  fn: async () => {
    await using _starts = new Starts();
    const { code, stdout } = await runCli(["run", "--set", "filter_uid=4242424", "--duration", "1", "-j"]);
    assertEquals([code, stdout], [0, ""]);
  },
});

/** A process that is killed when the test leaves its scope. */
class ChildProcess implements Disposable {
  readonly #child: Deno.ChildProcess;
  #ended = false;

  constructor(command: string, args: string[]) {
    this.#child = new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  }

  get pid(): number {
    return this.#child.pid;
  }

  async end(): Promise<void> {
    this[Symbol.dispose]();
    await this.#child.status;
  }

  [Symbol.dispose](): void {
    if (!this.#ended) this.#child.kill("SIGKILL");
    this.#ended = true;
  }
}

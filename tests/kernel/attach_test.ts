/**
 * Programs attached to tracepoints of each kind see the events that this test causes; a closed link sees none.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Collection, type CollectionSpec, UnsupportedError } from "../../mod.ts";
import { needs, openFds } from "../support/mod.ts";
import { COMPILERS, objectSpec } from "./support.ts";

/** What each slot of `counts` counts. */
const SLOT = { tpExec: 0, rawExec: 1, btfExec: 2, getppid: 3, rawExit: 6 } as const;

function traced(compiler: string): CollectionSpec {
  const spec = objectSpec(compiler, "tracepoints");
  for (const program of spec.programs.values()) {
    // What needs syscall tracepoints is not in every kernel; exec and exit are.
    if (program.attachTo.startsWith("syscalls/")) program.autoload = false;
  }
  return spec;
}

for (const compiler of COMPILERS) {
  Deno.test({
    name: `${compiler}/tracepoints: tp, raw_tp and tp_btf see the exec of one process, and its file`,
    ...needs({ bpf: true, btf: true, tracefs: true, program: "sh" }),
    fn: async () => {
      // A process that starts another program only when it is told, so that its number is known before.
      const child = new Deno.Command("sh", { args: ["-c", "read line; exec true"], stdin: "piped" }).spawn();
      const spec = traced(compiler);
      spec.variables.get("watched_tgid")!.set(child.pid);
      using collection = Collection.load(spec);
      const kinds = collection.attach().map((link) => link.kind).sort();
      assertEquals(kinds.filter((kind, i) => kinds.indexOf(kind) === i), ["raw_tracepoint", "trace", "tracepoint"]);
      assertEquals(kinds.length, 7);
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode("\n"));
      await writer.close();
      await child.status;
      const get = (name: string) => collection.variable(name).get();
      const counts = get("counts") as bigint[];
      assertEquals([counts[SLOT.tpExec], counts[SLOT.rawExec], counts[SLOT.btfExec]], [1n, 1n, 1n]);
      assert(counts[SLOT.rawExit]! > 0n);
      assertEquals([get("last_pid"), get("last_raw_pid"), get("last_btf_pid")], [child.pid, child.pid, child.pid]);
      const file = get("last_filename") as string;
      assert(file.endsWith("/true"), file);
      assertEquals([get("last_raw_filename"), get("last_btf_filename")], [file, file]);
      assertEquals(collection.map("by_section").get(SLOT.tpExec), 1n);
    },
  });

  Deno.test({
    name: `${compiler}/tracepoints: nothing is counted once the links are closed, and no fd is left`,
    ...needs({ bpf: true, btf: true, tracefs: true }),
    fn: async () => {
      const before = openFds().size;
      {
        using collection = Collection.load(traced(compiler));
        const links = collection.attach();
        for (const link of links) link.close();
        const counts = collection.variable("counts").get();
        await new Deno.Command("/bin/true").output();
        assertEquals(collection.variable("counts").get(), counts);
      }
      assertEquals(openFds().size, before);
    },
  });

  Deno.test({
    name: `${compiler}/tracepoints: a tracepoint that the kernel lacks is named, and what was attached is detached`,
    ...needs({ bpf: true, btf: true, tracefs: true }),
    fn: () => {
      const before = openFds().size;
      for (const [name, target] of [["raw_exec", "no_such_event"], ["tp_exec", "sched/no_such_event"]] as const) {
        const spec = traced(compiler);
        spec.programs.get(name)!.attachTo = target;
        using collection = Collection.load(spec);
        const held = openFds().size;
        const error = assertThrows(() => collection.attach(), Error, target);
        assert((error as Error).message.includes(`program "${name}"`));
        assertEquals(openFds().size, held);
      }
      const spec = traced(compiler);
      spec.programs.get("btf_exec")!.attachTo = "no_such_event";
      assertThrows(() => Collection.load(spec), UnsupportedError, "no_such_event");
      assertEquals(openFds().size, before);
    },
  });
}

Deno.test({
  name: "a syscall tracepoint is attached by its name in tracefs",
  ...needs({ bpf: true, btf: true, tracefs: true, program: "sh" }),
  fn: async () => {
    const spec = objectSpec("clang19", "tracepoints");
    for (const program of spec.programs.values()) program.autoload = program.name === "tp_getppid";
    using collection = Collection.load(spec);
    collection.attach();
    await new Deno.Command("sh", { args: ["-c", "exit"] }).output();
    assert((collection.variable("counts").get() as bigint[])[SLOT.getppid]! > 0n);
  },
});

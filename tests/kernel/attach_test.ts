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
    name: `${compiler}/tracepoints: tp, raw_tp and tp_btf see an exec, with what /proc would say`,
    ...needs({ bpf: true, btf: true, tracefs: true }),
    fn: async () => {
      using collection = Collection.load(traced(compiler));
      const links = collection.attach();
      assertEquals(links.map((link) => link.kind).sort(), [
        "raw_tracepoint",
        "raw_tracepoint",
        "raw_tracepoint",
        "tracepoint",
        "tracepoint",
        "tracing",
        "tracing",
      ]);
      const child = new Deno.Command("/bin/true").spawn();
      await child.status;
      const counts = collection.variable("counts").get() as bigint[];
      for (const slot of [SLOT.tpExec, SLOT.rawExec, SLOT.btfExec, SLOT.rawExit]) assert(counts[slot]! > 0n, `${slot}`);
      const get = (name: string) => collection.variable(name).get();
      // On a busy machine another program may have started since: then the last one is that.
      const last = [get("last_pid"), get("last_raw_pid"), get("last_btf_pid")];
      assert(last.every((pid) => (pid as number) >= child.pid), `${last} and ${child.pid}`);
      assert(collection.map("by_section").get(SLOT.tpExec) as bigint > 0n);
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

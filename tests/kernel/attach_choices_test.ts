/**
 * collection.attach(): what may be missing, what stands in for what, and what is said of it.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Collection, KernelFunctionError, type LoadOptions } from "../../mod.ts";
import { needs, shows } from "../support/mod.ts";
import { callFallocate, callGetpgid, FALLOCATE, loadTracer, seen } from "./attach_support.ts";
import { objectSpec } from "./support.ts";

const spec = () => {
  const object = objectSpec("clang19", "attach_kernel");
  for (const program of object.programs.values()) program.autoload = false;
  return object;
};

function skippedOf(collection: Collection): [string, string][] {
  return collection.skipped.map(({ program, step }) => [program, step]);
}

Deno.test({
  ...shows("Collection.load() with alternatives", "the first that the kernel takes sees the call, whichever it is"),
  ...needs({ bpf: true, btf: true, tracefs: true, features: ["syscallTracepoints"] }),
  fn: () => {
    // Nothing can be attached to the first; the kernel may refuse the second; the third is a plain tracepoint.
    const alternatives = [["on_program_fentry", "on_fentry", "on_tp"]];
    using collection = loadTracer("clang19", [], { alternatives });
    const links = collection.attach();
    assertEquals(links.length, 1);
    const taken = links[0]!.program;
    assert(["on_fentry", "on_tp"].includes(taken), taken);
    callGetpgid();
    callFallocate();
    assertEquals(seen(collection, taken === "on_tp" ? 12 : 7).count, 1n);
    assertEquals(collection.skipped.map(({ program }) => program).filter((name) => name === taken), []);
    assertEquals(new Set(collection.skipped.map(({ program }) => program)).size, 2);
    const reason = collection.skipped.find(({ program }) => program === "on_program_fentry")!.reason;
    assert(reason instanceof KernelFunctionError, String(reason));
    assertEquals([reason.problem, reason.function], ["missing", "victim_sum"]);
  },
});

Deno.test({
  ...shows("Collection.load() with alternatives fentry, kprobe", "one of them sees the call"),
  ...needs({ bpf: true, btf: true, tracefs: true, features: ["kprobes"] }),
  fn: () => {
    const alternatives = [["on_fentry", "on_kprobe"]];
    using collection = loadTracer("clang19", [], { alternatives });
    const [link, ...others] = collection.attach();
    assertEquals(others, []);
    callFallocate();
    const { count, values } = seen(collection, link!.program === "on_fentry" ? 7 : 0);
    assertEquals([count, values[1]], [1n, FALLOCATE.offset]);
    assertEquals(collection.skipped.length, 1);
  },
});

Deno.test({
  ...shows("Collection.load() with alternatives, the first of which cannot be attached", "the second sees the call"),
  ...needs({ bpf: true, btf: true, tracefs: true, features: ["syscallTracepoints"] }),
  fn: () => {
    const options: LoadOptions = {
      alternatives: [["on_raw_tp", "on_tp"]],
      attachTo: { on_raw_tp: ["no_such_tracepoint", "nor_this"] },
    };
    using collection = loadTracer("clang19", [], options);
    assertEquals(collection.attach().map(({ program }) => program), ["on_tp"]);
    callGetpgid();
    assertEquals([seen(collection, 12).count, seen(collection, 13).count], [1n, 0n]);
    assertEquals(skippedOf(collection), [["on_raw_tp", "attach"]]);
    assert(/no_such_tracepoint[^]*nor_this/.test(collection.skipped[0]!.reason.message));
  },
});

Deno.test({
  ...shows("Collection.load() with attachTo, a list of names", "the first that the kernel has is taken"),
  ...needs({ bpf: true, btf: true, tracefs: true }),
  fn: () => {
    using collection = loadTracer("clang19", ["on_raw_tp", "on_tp_btf"], {
      attachTo: { on_raw_tp: ["no_such_tracepoint", "sys_enter"], on_tp_btf: ["no_such_tracepoint", "sys_enter"] },
    });
    const links = collection.attach();
    assertEquals(links.map(({ target }) => target), ["sys_enter", "sys_enter"]);
    callGetpgid();
    assertEquals([seen(collection, 13).count, seen(collection, 14).count], [1n, 1n]);
  },
});

Deno.test({
  name: "optional programs that the kernel refuses are left out and reported, at load and when attaching",
  ...needs({ bpf: true, btf: true, tracefs: true }),
  fn: () => {
    using collection = loadTracer("clang19", ["on_raw_tp", "on_program_fentry", "on_tp_btf"], {
      optional: ["on_raw_tp", "on_program_fentry"],
      attachTo: { on_raw_tp: "no_such_tracepoint" },
    });
    assertEquals(skippedOf(collection), [["on_program_fentry", "load"]]);
    assertEquals([...collection.programs.keys()], ["on_raw_tp", "on_tp_btf"]);
    assertEquals(collection.attach().map(({ program }) => program), ["on_tp_btf"]);
    assertEquals(skippedOf(collection), [["on_program_fentry", "load"], ["on_raw_tp", "attach"]]);
    assert(collection.skipped[1]!.reason.message.includes("no_such_tracepoint"));
  },
});

Deno.test({
  name: "optional may be a function, and be given to attach() alone",
  ...needs({ bpf: true, btf: true, tracefs: true }),
  fn: () => {
    using collection = loadTracer("clang19", ["on_raw_tp", "on_tp_btf"]);
    const attachTo = { on_raw_tp: "no_such_tracepoint" };
    assertThrows(() => collection.attach({ attachTo }), Error, "no_such_tracepoint");
    const links = collection.attach({ attachTo, optional: ({ type }) => type === 17 });
    assertEquals(links.map(({ program }) => program), ["on_tp_btf"]);
  },
});

Deno.test({
  name: "alternatives of which none can be used are an error that gives all reasons; optional ones are not",
  ...needs({ bpf: true, btf: true }),
  fn: () => {
    const alternatives = [["on_program_fentry", "on_program_fexit"]];
    const error = assertThrows(() => Collection.load(spec(), { alternatives }), AggregateError) as AggregateError;
    assertEquals(error.errors.length, 2);
    assert(/on_program_fentry[^]*on_program_fexit/.test(error.message), error.message);
    using collection = Collection.load(spec(), { alternatives, optional: alternatives[0]! });
    assertEquals([collection.programs.size, collection.skipped.length], [0, 2]);
    assertEquals(collection.attach(), []);
  },
});

Deno.test({
  name: "choices that name programs that are not there, or one twice, are refused with the names that there are",
  ...needs({ bpf: true, btf: true }),
  fn: () => {
    for (
      const options of [
        { alternatives: [["no_such_program"]] },
        { optional: ["no_such_program"] },
        { attachTo: { no_such_program: "x" } },
      ] satisfies LoadOptions[]
    ) {
      assertThrows(() => Collection.load(spec(), options), TypeError, `"no_such_program"; there are "on_kprobe"`);
    }
    const twice = { alternatives: [["on_kprobe", "on_fentry"], ["on_fentry"]] };
    assertThrows(() => Collection.load(spec(), twice), TypeError, `"on_fentry" is in the alternatives twice`);
  },
});

Deno.test({
  name: "what section names do not say how to attach is left out and reported, unless it is asked for",
  ...needs({ bpf: true, btf: true }),
  fn: () => {
    using victim = Collection.load(objectSpec("clang19", "attach_victim"));
    assertEquals(victim.attach(), []);
    assertEquals(skippedOf(victim), [["victim", "attach"]]);
    assertThrows(() => victim.attach({ only: () => true }), Error, `program "victim"`);
  },
});

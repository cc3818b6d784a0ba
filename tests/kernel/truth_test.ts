/**
 * The kernel judges: programs with known results are loaded, run, and asked what they did. The results are told in
 * testdata/truth*.bpf.c.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Collection, hostBtf, type StructType, type Value } from "../../mod.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { needs } from "../support/mod.ts";
import { args, COMPILERS, objectSpec, procStatus } from "./support.ts";

type Results = Record<string, Value>;

function results(collection: Collection, variable: string): Results {
  return collection.variable(variable).get() as Results;
}

for (const compiler of COMPILERS) {
  for (const variant of ["truth", "truth.v1", "truth.v2", ...(compiler === "clang19" ? ["truth.v4"] : [])]) {
    const test = (name: string, fn: (load: (set?: Record<string, Value>) => Collection) => void) =>
      Deno.test({
        name: `${compiler}/${variant}: ${name}`,
        ...needs({ bpf: true, btf: true }),
        fn: () =>
          fn((set = {}) => {
            const spec = objectSpec(compiler, variant);
            for (const [name, value] of Object.entries(set)) spec.variables.get(name)!.set(value);
            return Collection.load(spec);
          }),
      });

    test("subprograms in gaps, called by symbol and by section, give the expected sums", (load) => {
      using collection = load();
      assertEquals(collection.program("calls").run({ ctx: args(7, 5) }).returnValue, 103);
      assertEquals(results(collection, "call_results"), {
        static_call: 22n,
        global_call: 72n,
        weak_call: 9n,
        calls: 4,
      });
      assertEquals(collection.variable("call_counter").get(), 104n);
    });

    test("a const volatile that was set before loading counts", (load) => {
      using collection = load({ factor: 10 });
      assertEquals(collection.program("calls").run({ ctx: args(7, 5) }).returnValue, 201);
      assertEquals(collection.variable("factor").get(), 10);
    });

    test("rodata, data and bss hold what they should, before and after", (load) => {
      using collection = load();
      const get = (name: string) => collection.variable(name).get();
      assertEquals([get("small"), get("table"), get("signed_value"), get("name")], [42, [1, 2, 3, 4, 5], -5, "before"]);
      assertEquals(collection.program("globals").run({ ctx: args(4, 0) }).returnValue, 61);
      assertEquals([get("signed_value"), get("wide_value"), get("name")], [-9, 0x1122334455667789n, "after!"]);
      assertEquals([get("copied_greeting"), get("copied_literal")], ["hello from rodata", "a literal"]);
    });

    test("a variable that is set while loaded is what the program reads", (load) => {
      using collection = load();
      collection.variable("wide_value").set(1n);
      collection.program("globals").run({ ctx: args(4, 0) });
      assertEquals(collection.variable("wide_value").get(), 2n);
    });

    test("CO-RE reads, flavours and questions answer as /proc and the kernel's BTF do", (load) => {
      using collection = load();
      assertEquals(collection.program("core").run({ ctx: args(0, 0) }).returnValue, 0);
      const found = results(collection, "core_results");
      const parent = Number(procStatus(Deno.pid, "PPid"));
      // Deno runs tests on a thread of its own, which is what asks for the run.
      const thread = `${Deno.pid}/task/${found.pid}`;
      const task = hostBtf().find("task_struct", BtfKind.Struct) as StructType;
      const offset = (name: string) => task.members.find((member) => member.name === name)!.offsetBits / 8;
      assertEquals(
        [found.tgid, found.comm, found.ppid, found.parent_comm],
        [Deno.pid, procStatus(thread, "Name"), parent, procStatus(parent, "Name")],
      );
      assertEquals(found.state_name, task.members.some((member) => member.name === "__state") ? 2 : 1);
      assertEquals(
        [found.task_size, found.comm_offset, found.comm_size, found.task_type_id],
        [task.size, offset("comm"), 16, task.id],
      );
      assertEquals([found.has_comm, found.has_nonsense, found.has_no_struct], [1, 0, 0]);
      assertEquals([found.ringbuf_type, found.has_ringbuf_type, found.has_no_type], [27n, 1, 0]);
    });

    test("bitfields and fields of other sizes are read and written where the kernel has them", (load) => {
      using collection = load();
      assertEquals(collection.program("bits").run({ ctx: args(0, 0) }).returnValue, 0);
      const found = results(collection, "bit_results");
      assertEquals(
        [found.version, found.ihl, found.ttl, found.protocol, found.tot_len],
        [4, 5, 64, 6, 0x5400],
      );
      assertEquals([found.code, found.dst, found.src, found.off, found.imm], [0x85, 9, 1, -2, -77]);
      const packet = collection.variable("packet").get() as number[];
      assertEquals(packet[8], 63);
      assertEquals(found.wide_code, 0x85n);
      // struct bpf_insn: code, registers, off = -2, then imm = 1234 in little endian.
      assertEquals(collection.variable("insn_copy").get(), [0x85, 0x19, 0xfe, 0xff, 0xd2, 0x04, 0, 0]);
    });

    test("a map in a map has its declared contents, and what the program writes is there", (load) => {
      using collection = load();
      assertEquals(collection.program("maps").run({ ctx: args(1, 40) }).returnValue, 81);
      assertEquals(collection.map("inner_b").get(0), 40n);
      assertEquals(collection.map("inner_a").get(0), 41n);
      assertEquals([...collection.map("hits")].length, 1);
    });
  }

  Deno.test({
    name: `${compiler}/truth: the same spec loads twice and is not changed`,
    ...needs({ bpf: true, btf: true }),
    fn: () => {
      const spec = objectSpec(compiler, "truth");
      const before = [...spec.programs.values()].map(({ instructions }) => instructions);
      for (const sum of [103, 103]) {
        using collection = Collection.load(spec);
        assertEquals(collection.program("calls").run({ ctx: args(7, 5) }).returnValue, sum);
      }
      assertEquals([...spec.programs.values()].every((program, i) => program.instructions === before[i]), true);
    },
  });

  Deno.test({
    name: `${compiler}/truth_callbacks: function pointers reach their functions`,
    ...needs({ bpf: true, btf: true, features: ["bpfLoop"] }),
    fn: () => {
      using collection = Collection.load(objectSpec(compiler, "truth_callbacks"));
      const run = (name: string, n: number) => {
        const { returnValue, ctx } = collection.program(name).run({ ctx: args(n, 0, 0) });
        const [, sum, calls] = new BigUint64Array(ctx.slice().buffer);
        return [returnValue, sum, calls];
      };
      assertEquals(run("loop", 10), [0, 90n, 20n]);
      assertEquals(run("each_element", 3), [4, 18n, 4n]);
      assertEquals(run("nested", 4), [0, 12n, 16n]);
      assertEquals(run("in_text", 5), [0, 10n, 5n]);
      assertEquals([...collection.map("numbers")].map(([, value]) => value), [0n, 3n, 6n, 9n]);
    },
  });

  Deno.test({
    name: `${compiler}/truth_tail_call: a prog array has its declared contents`,
    ...needs({ bpf: true, btf: true }),
    fn: () => {
      using collection = Collection.load(objectSpec(compiler, "truth_tail_call"));
      const enter = (index: number) => collection.program("enter").run({ ctx: args(index, 0) }).returnValue;
      assertEquals([enter(0), enter(1), enter(2)], [1000, 7, 2000]);
    },
  });
}

/**
 * What the linker makes of data, functions and declared contents, as the kernel runs it.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { Collection, SyscallError } from "../../mod.ts";
import { needs } from "../support/mod.ts";
import { args, COMPILERS, objectSpec } from "./support.ts";

const NEEDS = needs({ bpf: true, btf: true });
const PACKET = new Uint8Array(64);

for (const compiler of COMPILERS) {
  Deno.test({
    name: `${compiler}/data_sections: every variable is where programs look for it`,
    ...NEEDS,
    fn() {
      using collection = Collection.load(objectSpec(compiler, "data_sections"));
      const run = (name: string, n = 0) => collection.program(name).run({ ctx: args(n, 0) }).returnValue;
      const get = (name: string) => collection.variable(name).get();
      const sum = (calls: number, i: number) => calls + (100 + calls) + (4 + i) + 10 * (i + 1) + 50 + 11 + 5;
      assertEquals(run("walk", 1), sum(1, 1) + "e".charCodeAt(0));
      assertEquals(run("walk", 2), sum(2, 2) + "l".charCodeAt(0));
      assertEquals([get("own"), get("own_zero"), get("weak_data")], [7 + 2 * 26, 2, 12]);
      assertEquals(get("packed"), { a: 3, b: 10n });
      assertEquals(run("between"), 7);
      assertEquals(run("strings", 3), "l".charCodeAt(0) * 256 + "d".charCodeAt(0));
      assertEquals(run("pointers"), 0);
    },
  });

  Deno.test({
    name: `${compiler}/data_sections: variables of every section are set before loading`,
    ...NEEDS,
    fn() {
      const spec = objectSpec(compiler, "data_sections");
      const values = { own: 1, beside: 2, own_const: 3, own_zero: 4, greeting: "abcde" };
      for (const [name, value] of Object.entries(values)) spec.variables.get(name)!.set(value);
      using collection = Collection.load(spec);
      collection.program("walk").run({ ctx: args(0, 0) });
      const get = (name: string) => collection.variable(name).get();
      assertEquals([get("own"), get("own_zero"), get("own_const")], [6, 5, 3]);
      assertThrows(() => collection.variable("own_const").set(4), TypeError, "is const");
    },
  });

  Deno.test({
    name: `${compiler}/map_contents: declared maps and programs are in their places, and nowhere else`,
    ...NEEDS,
    fn() {
      using collection = Collection.load(objectSpec(compiler, "map_contents"));
      const step = (index: number) => {
        collection.program("step").run({ ctx: args(index, 0) });
        return [collection.variable("missed").get(), collection.variable("landed").get()];
      };
      const first = (map: string) => collection.map(map).get(0);
      assertEquals([step(0), first("one"), first("two")], [[0, 0], 1n, 0n]);
      assertEquals([step(1), first("one"), first("two")], [[-1, 1], 1n, 0n]);
      assertEquals([step(2), first("one"), first("two")], [[0, 0], 1n, 3n]);
      assertEquals([step(3), first("one"), first("two")], [[0, 0], 4n, 3n]);
      assertEquals([step(4), first("one"), first("two")], [[-1, 2], 4n, 3n]);
      const [one, two] = [collection.map("one").id, collection.map("two").id];
      assertEquals([0, 1, 2, 3, 4].map((index) => collection.map("outer").get(index)), [
        one,
        undefined,
        two,
        one,
        undefined,
      ]);
      assertEquals(
        [...collection.map("by_hash").raw].map(([key, value]) => [key[0], new Uint32Array(value.buffer)[0]]),
        [
          [1, two],
        ],
      );
      const programs = ["target_one", "target_two"].map((name) => collection.program(name).id);
      assertEquals([0, 1, 2, 3, 4].map((index) => collection.map("programs").get(index)), [
        undefined,
        programs[0],
        undefined,
        undefined,
        programs[1],
      ]);
    },
  });

  Deno.test({
    name: `${compiler}/map_contents: a program that is not loaded leaves its place empty`,
    ...NEEDS,
    fn() {
      const spec = objectSpec(compiler, "map_contents");
      spec.programs.get("target_one")!.autoload = false;
      using collection = Collection.load(spec);
      assertEquals([1, 4].map((index) => collection.map("programs").get(index) === undefined), [true, false]);
    },
  });

  Deno.test({
    name: `${compiler}/subprograms: functions of every linkage are called, callbacks too`,
    ...needs({ bpf: true, btf: true, features: ["bpfLoop"] }),
    fn() {
      using collection = Collection.load(objectSpec(compiler, "subprograms"));
      assertEquals([...collection.programs.keys()], ["calls", "callbacks"]);
      const run = (name: string) => collection.program(name).run({ data: PACKET }).returnValue;
      assertEquals([run("calls"), run("callbacks")], [36, 24]);
    },
  });

  Deno.test({
    name:
      `${compiler}/struct_ops_dummy: struct_ops programs run, sleepable ones too; what cannot be registered says so`,
    ...needs({ bpf: true, btf: true, features: ["sleepableStructOps"] }),
    fn() {
      using collection = Collection.load(objectSpec(compiler, "struct_ops_dummy"));
      const state = new Int32Array(2);
      const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(state));
      const run = (name: string) => collection.program(name).run({ ctx: args(address) }).returnValue;
      assertEquals([run("first"), run("sleeping")], [42, 43]);
      const error = assertThrows(() => collection.attach(), SyscallError, 'struct_ops "dummy" (bpf_dummy_ops)');
      assertEquals(["EOPNOTSUPP", "ENOTSUPP"].includes(error.code), true, error.code);
    },
  });
}

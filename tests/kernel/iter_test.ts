/**
 * Iterators: what they print, as text, lines and values. What the programs print is told in testdata/iterators.bpf.c.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BpfIterator, type Codec, Collection, compileCodec, FormatError, type StructType } from "../../mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import type { FeatureName } from "../support/features.ts";
import { needs, openFds } from "../support/mod.ts";
import { COMPILERS, objectSpec } from "./support.ts";

function codecOf(collection: Collection, struct: string): Codec {
  const type = collection.spec.btf!.find(struct, BtfKind.Struct) as StructType;
  return compileCodec(type, { order: HOST_BYTE_ORDER });
}

for (const compiler of COMPILERS) {
  const test = (name: string, fn: (collection: Collection) => Promise<void>, features: FeatureName[] = []) =>
    Deno.test({
      name: `${compiler}/iterator: ${name}`,
      ...needs({ bpf: true, btf: true, features }),
      fn: async () => {
        const spec = objectSpec(compiler, "iterators");
        spec.programs.get("elements")!.autoload = features.length > 0;
        using collection = Collection.load(spec);
        const before = openFds().size;
        await fn(collection);
        assertEquals(openFds().size, before);
      },
    });

  test("the lines of a text, with this process among them; each run starts anew", async (collection) => {
    for (let run = 0; run < 2; run++) {
      using iterator = BpfIterator.open(collection.program("task_text"));
      const [heading, ...lines] = await Array.fromAsync(iterator.lines());
      assertEquals(heading, "pid tgid comm");
      assert(lines.every((line) => /^\d+ \d+ ./.test(line)));
      assert(lines.includes(`${Deno.pid} ${Deno.pid} deno`));
    }
  });

  test("a text as a whole", async (collection) => {
    using iterator = BpfIterator.open(collection.program("task_text"));
    const text = await iterator.text();
    assert(/^pid tgid comm\n\d+ \d+ /.test(text), text.slice(0, 40));
    assert(text.endsWith("\n"));
  });

  test("values of a struct", async (collection) => {
    using iterator = BpfIterator.open(collection.program("task_records"));
    const tasks = await Array.fromAsync(iterator.values(codecOf(collection, "task_record")));
    assertEquals(
      tasks.find((task) => (task as { pid: number }).pid === Deno.pid),
      { pid: Deno.pid, tgid: Deno.pid, comm: "deno" },
    );
  });

  test("the elements of a map: more than one read gives", async (collection) => {
    const map = collection.map("numbers");
    map.setBatch(Array.from({ length: 4000 }, (_, i) => [i, BigInt(i) << 33n] as const));
    using iterator = BpfIterator.open(collection.program("elements"), { map });
    const values = await Array.fromAsync(
      iterator.values<{ key: number; value: bigint }>(codecOf(collection, "element")),
    );
    assertEquals(values.length, 4000);
    for (const { key, value } of values) assertEquals(value, BigInt(key) << 33n);
    assertEquals(new Set(values.map(({ key }) => key)).size, 4000);
  }, ["iterMapElements"]);

  test("leaving a loop closes it; values of the wrong size are refused", async (collection) => {
    const left = BpfIterator.open(collection.program("task_text"));
    for await (const line of left.lines()) {
      assertEquals(line, "pid tgid comm");
      break;
    }
    const path = await Deno.makeTempFile();
    await Deno.writeFile(path, new Uint8Array(60));
    using cut = BpfIterator.openPinned(path);
    await Deno.remove(path);
    const codec = codecOf(collection, "task_record");
    await assertRejects(() => Array.fromAsync(cut.values(codec)), FormatError, "12 bytes of a value of 24 bytes");
  });
}

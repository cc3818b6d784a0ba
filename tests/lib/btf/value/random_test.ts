import { assert, assertEquals } from "@std/assert";
import { compileCodec, compileReader, type Value } from "../../../../lib/btf/value/mod.ts";
import { run } from "../../../support/mod.ts";
import { agrees, Random, randomComposite, randomValue } from "./random_types.ts";

const TYPES = 2000;

Deno.test("compileCodec() 2,000 random types: compiled and interpreted give the same, and what was written is read", () => {
  for (let seed = 0; seed < TYPES; seed++) {
    const random = new Random(seed);
    const type = randomComposite(random, 3, "event");
    const order = random.pick(["little", "big"] as const);
    const compiled = compileCodec(type, { order });
    const interpreted = compileCodec(type, { order, interpreted: true });
    const value = randomValue(random, type);
    const data = compiled.encodeBytes(value);
    assertEquals(data, interpreted.encodeBytes(value), `seed ${seed}`);
    const back = compiled.decodeBytes(data);
    assertEquals(back, interpreted.decodeBytes(data), `seed ${seed}`);
    assert(agrees(value, back), `seed ${seed}: ${show(value)} came back as ${show(back)}`);
    // All members of unions at once, as they were read: they agree, since they come from the same bytes.
    assertEquals(compiled.encodeBytes(back), data, `seed ${seed}`);
  }
});

Deno.test("compileCodec(), compileReader() 2,000 random types read from random bytes: four ways, one result", () => {
  for (let seed = 0; seed < TYPES; seed++) {
    const random = new Random(seed);
    const type = randomComposite(random, 3, "event");
    const order = random.pick(["little", "big"] as const);
    const compiled = compileCodec(type, { order });
    const offset = random.below(9);
    const view = new DataView(random.bytes(offset + compiled.size + 3).buffer);
    const value = compiled.decode(view, offset);
    assertEquals(compileCodec(type, { order, interpreted: true }).decode(view, offset), value, `seed ${seed}`);
    for (const interpreted of [false, true]) {
      const reader = new (compileReader(type, { order, interpreted }))().at(view, offset);
      assertEquals(reader.toObject(), value, `seed ${seed}`);
      for (const [name, expected] of Object.entries(value)) {
        const member = reader[name]!;
        const plain = typeof member === "object" && "toObject" in member && typeof member.toObject === "function"
          ? member.toObject()
          : member;
        assertEquals(plain, expected, `seed ${seed}, member ${name}`);
      }
    }
  }
});

function show(value: Value): string {
  return JSON.stringify(value, (_, item) => typeof item === "bigint" ? `${item}n` : item);
}

Deno.test("compileCodec(), compileReader() interpret types where code generation is forbidden", async () => {
  const script = `
    import { compileCodec, compileReader } from ${
    JSON.stringify(import.meta.resolve("../../../../lib/btf/value/mod.ts"))
  };
    import { layOut, U32 } from ${JSON.stringify(import.meta.resolve("./make_types.ts"))};
    let forbidden = false;
    try { new Function(""); } catch (error) { forbidden = error instanceof EvalError; }
    const type = layOut("pair", [["a", U32], ["b", U32]]);
    const codec = compileCodec(type, { order: "little" });
    const bytes = codec.encodeBytes({ a: 1, b: 2 });
    const reader = new (compileReader(type, { order: "little" }))().at(new DataView(bytes.buffer), 0);
    console.log(forbidden, JSON.stringify(codec.decodeBytes(bytes)), reader.b, JSON.stringify(reader.toObject()));`;
  const flags = ["run", "--no-check", "--v8-flags=--disallow-code-generation-from-strings", "-"];
  const { stdout, stderr } = await run(Deno.execPath(), flags, { stdin: script });
  assertEquals([stdout, stderr], ['true {"a":1,"b":2} 2 {"a":1,"b":2}\n', ""]);
});

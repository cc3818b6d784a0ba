/**
 * clang is the judge of where things lie: variables that it initialized must be read as what their initializers say, and
 * written as the same bytes, in both orders.
 */
import { assert, assertEquals } from "@std/assert";
import { compileCodec, type Value } from "../../../../lib/btf/mod.ts";
import { readCollectionSpec } from "../../../../lib/spec/mod.ts";
import { clangPath, needs, run } from "../../../support/mod.ts";
import { randomC } from "./random_c.ts";
import { agrees, Random } from "./random_types.ts";

const STRUCTS = 300;

for (const version of ["14", "19"] as const) {
  for (const order of ["little", "big"] as const) {
    Deno.test({
      name:
        `compileCodec() 300 random structs that clang ${version} laid out, ${order}-endian (needs clang ${version})`,
      ...needs({ clang: version }),
      async fn() {
        const seed = version === "14" ? 14 : 19;
        const { source, values } = randomC(new Random(seed), STRUCTS);
        const object = await compile(clangPath(version)!, order, source);
        const spec = readCollectionSpec(object, { name: "layout" });
        assertEquals(spec.order, order);
        for (const [name, value] of values) {
          const { type, offset, size, map } = spec.variables.get(name)!;
          const data = spec.maps.get(map)!.data!.slice(offset, offset + size);
          for (const interpreted of [false, true]) {
            const codec = compileCodec(type, { order, interpreted });
            assertEquals(codec.size, size, name);
            const decoded = codec.decodeBytes(data);
            assert(agrees(value, decoded), `${name} is ${show(value)}, read as ${show(decoded)}\n${source}`);
            assertEquals(codec.encodeBytes(decoded), data, `${name}, as it was read`);
            assertEquals(codec.encodeBytes(value), data, `${name}, as it was declared`);
          }
        }
      },
    });
  }
}

async function compile(clang: string, order: "little" | "big", source: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/layout.c`;
    await Deno.writeTextFile(file, source);
    const target = order === "little" ? "bpfel" : "bpfeb";
    const args = ["-target", target, "-g", "-O2", "-w", "-c", file, "-o", `${folder}/layout.o`];
    const { code, stderr } = await run(clang, args);
    assertEquals(code, 0, stderr);
    return await Deno.readFile(`${folder}/layout.o`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function show(value: Value): string {
  return JSON.stringify(value, (_, item) => typeof item === "bigint" ? `${item}n` : item);
}

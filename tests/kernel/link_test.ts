/**
 * Objects that are linked, by the static linker or in memory: the kernel loads and runs them. What comes out is told in
 * testdata/link/main.bpf.c.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  Btf,
  Collection,
  type CollectionSpec,
  linkObjects,
  readCollectionSpec,
  sys,
  type Value,
  withFunctions,
} from "../../mod.ts";
import { needs, testdata } from "../support/mod.ts";
import { args, COMPILERS } from "./support.ts";

function part(compiler: string, name: string): CollectionSpec {
  return readCollectionSpec(testdata(`${compiler}/link/${name}.bpf.o`), { name: `${name}.bpf.o` });
}

/** Runs both programs and checks all that they leave. */
function checkResults(collection: Collection, { scaled = 14 } = {}): void {
  const returned = collection.program("link_main").run({ ctx: args(7, 5) }).returnValue;
  const { pid, tgid, ...results } = collection.variable("link_results").get() as Record<string, Value>;
  assertEquals(results, {
    added: 12,
    scaled,
    stepped: 8,
    secret: 1005,
    tuned: 5,
    limit: 7,
    counter: 101,
    found: 7n,
    main_text: "main",
  });
  assertEquals(returned, 12 + scaled + 8 + 5 + 7);
  assertEquals(collection.variable("library_text").get(), "library");
  assertEquals(tgid, Deno.pid);
  // Deno runs tests on a thread of its own.
  assertEquals(Deno.statSync(`/proc/${Deno.pid}/task/${pid}`).isDirectory, true);
}

for (const compiler of COMPILERS) {
  for (const order of [["main", "library", "defaults"], ["defaults", "library", "main"], ["library", "main"]]) {
    Deno.test({
      name: `${compiler}: linkObjects(): ${order.join(", ")}: loads, runs, and gives the known results`,
      ...needs({ bpf: true, btf: true }),
      fn() {
        const linked = linkObjects(
          order.map((name) => ({ name, bytes: testdata(`${compiler}/link/${name}.bpf.o`) })),
        );
        using collection = Collection.load(readCollectionSpec(linked, { name: "linked.bpf.o" }));
        // Both are weak: the first wins.
        checkResults(collection, order[0] === "defaults" ? { scaled: 700 } : {});
        assertEquals(collection.program("link_library").run({ ctx: args(7, 0) }).returnValue, 1007);
      },
    });
  }

  Deno.test({
    name: `${compiler}: withFunctions(): functions of another object are called, and have their lines and relocations`,
    ...needs({ bpf: true, btf: true }),
    fn() {
      const [main, library] = [part(compiler, "main"), part(compiler, "library")];
      const spec = withFunctions(main, library);
      assertEquals([...spec.programs.keys()], ["link_main"]);
      using collection = Collection.load(spec);
      checkResults(collection);

      const info = sys.progInfo(collection.program("link_main").fd);
      using btf = sys.btfGetFdById(info.btfId);
      const names = filesOfLines(
        sys.progArrays(collection.program("link_main").fd, ["lineInfo"]).lineInfo!,
        Btf.parse(sys.btfBytes(btf.value)),
      );
      assertEquals(names, ["./testdata/link/library.bpf.c", "./testdata/link/main.bpf.c"]);

      // Neither collection has changed, so it can be done again.
      assertEquals([...main.maps.keys()].includes("shared"), false);
      using again = Collection.load(withFunctions(main, library));
      checkResults(again);
    },
  });
}

/** The files that line_info names, sorted. */
function filesOfLines(lineInfo: Uint8Array<ArrayBuffer>, btf: Btf): string[] {
  const words = new Uint32Array(lineInfo.buffer, lineInfo.byteOffset, lineInfo.length / 4);
  const files = new Set<string>();
  for (let at = 0; at < words.length; at += 4) files.add(btf.string(words[at + 1]!));
  return [...files].sort();
}

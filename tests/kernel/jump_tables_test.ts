/**
 * Jump tables: programs go where C says, also where a function stands elsewhere than in its section.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { Collection, UnsupportedError } from "../../mod.ts";
import { hasFeature } from "../support/features.ts";
import { assertLeavesNothing } from "../support/leaks.ts";
import { needs } from "../support/mod.ts";
import { args, objectSpec } from "./support.ts";

/** `chosen()` and `scaled()` of testdata/jump_tables.bpf.c, without what they count. */
const CHOSEN = [17, 3, 999, 12, 77, 100, 33];
const SCALED = [1000, 3000, 2000, 9000, 4000, 5000];

Deno.test({
  name: "jump_tables: every case, and none",
  ...needs({ bpf: true, btf: true, features: ["insnArray"] }),
  fn() {
    using collection = Collection.load(objectSpec("clang22", "jump_tables"));
    const hits = collection.variable("hits");
    const pick = collection.program("pick");
    for (let which = 0; which < 9; which++) {
      for (let value = 0; value < 8; value++) {
        hits.set(0);
        const counted = (which === 2 ? 10 : which === 6 ? 100 : 0) * (value === 3 ? 1 : 0);
        const expected = (CHOSEN[which] ?? 1) + (SCALED[value] ?? 0) + counted;
        assertEquals(pick.run({ ctx: args(which, value) }).returnValue, expected, `pick(${which}, ${value})`);
      }
    }
    const twice = collection.program("twice");
    hits.set(6);
    const changed = [1005, 3000, 1000 ^ 6, 991, ~1000];
    changed.forEach((first, index) => {
      assertEquals(
        twice.run({ ctx: args(10 + index, 0) }).returnValue >>> 0,
        (first + 1) >>> 0,
        `twice(${10 + index})`,
      );
    });
  },
});

Deno.test({
  name: "jump_tables: nothing is left",
  ...needs({ bpf: true, btf: true, features: ["insnArray"] }),
  async fn() {
    await assertLeavesNothing("jump tables", () => {
      using _collection = Collection.load(objectSpec("clang22", "jump_tables"));
    });
  },
});

Deno.test({
  name: "jump_tables: a kernel without them says since when there are, and what to do",
  ignore: needs({ bpf: true, btf: true }).ignore || hasFeature("insnArray"),
  fn() {
    const spec = objectSpec("clang22", "jump_tables");
    const error = assertThrows(() => Collection.load(spec), UnsupportedError, "-fno-jump-tables");
    assertEquals([error.since, error.message.includes('program "pick"')], ["6.19", true]);
  },
});

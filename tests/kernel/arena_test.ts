/**
 * Variables in an arena: there when programs are verified, set and read live, and in the memory that views of the map show.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { Collection, SyscallError } from "../../mod.ts";
import { assertLeavesNothing } from "../support/leaks.ts";
import { needs } from "../support/mod.ts";
import { objectSpec } from "./support.ts";

const NEEDS = needs({ bpf: true, btf: true, features: ["arena"] });

Deno.test({
  name: "arena: programs and user space share its variables",
  ...NEEDS,
  fn() {
    using collection = Collection.load(objectSpec("clang19", "arena"));
    const get = (name: string) => collection.variable(name).get();
    assertEquals([get("result"), get("table"), get("plain")], [5, [1n, 20n, 300n, 4000n], 7]);
    assertEquals(collection.program("sum").run().returnValue, 4321);
    assertEquals([get("result"), get("calls"), get("plain")], [4321, 1, 8]);
    collection.variable("table").set([1n, 2n, 3n, 4n]);
    collection.variable("offset").set(-3);
    assertEquals(collection.program("sum").run().returnValue, 7);
    assertEquals([get("result"), get("calls"), get("plain")], [7, 2, 10]);
  },
});

Deno.test({
  name: "arena: variables that are set before loading",
  ...NEEDS,
  fn() {
    const spec = objectSpec("clang19", "arena");
    spec.variables.get("table")!.set([5n, 5n, 5n, 5n]);
    using collection = Collection.load(spec);
    assertEquals(collection.program("sum").run().returnValue, 20);
    // The spec is as it was: it can be loaded again.
    assertEquals(spec.maps.get("arena")?.arena?.offset, 0);
  },
});

Deno.test({
  name: "arena: views share one mapping, and each ends when it is closed",
  ...NEEDS,
  fn() {
    using collection = Collection.load(objectSpec("clang19", "arena"));
    const map = collection.map("arena");
    const at = map.spec.arena!.offset;
    const view = map.view();
    const result = () => {
      using other = map.view();
      return new DataView(other.bytes.buffer).getUint32(at, true);
    };
    collection.program("sum").run();
    assertEquals([result(), new DataView(view.bytes.buffer).getUint32(at, true)], [4321, 4321]);
    view.close();
    assertThrows(() => view.bytes, TypeError, "no longer mapped");
    assertEquals([result(), collection.variable("result").get()], [4321, 4321]);
  },
});

Deno.test({
  name: "arena: an address can be had once in a process",
  ...NEEDS,
  fn() {
    using _collection = Collection.load(objectSpec("clang19", "arena"));
    const error = assertThrows(() => Collection.load(objectSpec("clang19", "arena")), SyscallError, "map_extra");
    assertEquals(error.code, "EEXIST");
  },
});

Deno.test({
  name: "arena: its memory goes with the collection",
  ...NEEDS,
  async fn() {
    await assertLeavesNothing("an arena", () => {
      using collection = Collection.load(objectSpec("clang19", "arena"));
      collection.program("sum").run();
    });
  },
});

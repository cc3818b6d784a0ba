import { assertEquals } from "@std/assert";
import { findLostCounters, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { inRepository } from "../../support/mod.ts";

function spec(compiler: string, object: string) {
  return readCollectionSpec(Deno.readFileSync(inRepository("testdata", compiler, `${object}.bpf.o`)), { name: object });
}

for (const compiler of ["clang14", "clang19"]) {
  Deno.test(`findLostCounters(): ${compiler}, a variable and a map, by their tags`, () => {
    const found = findLostCounters(spec(compiler, "event_losses"));
    assertEquals(found.size, 2);
    assertEquals(found.get("events"), [{ kind: "variable", name: "debpf_lost_events" }]);
    assertEquals(found.get("counted_by_map"), [{ kind: "map", name: "failures" }]);
  });

  Deno.test(`findLostCounters(): ${compiler}, an object without counters, and one without BTF`, () => {
    assertEquals(findLostCounters(spec(compiler, "events")).size, 0);
    assertEquals(findLostCounters(spec(compiler, "nobtf")).size, 0);
  });

  Deno.test(`findLostCounters(): ${compiler}, a counter of a map that is not there does not count`, () => {
    const edited = spec(compiler, "event_losses");
    edited.maps.delete("events");
    assertEquals([...findLostCounters(edited).keys()], ["counted_by_map"]);
  });
}

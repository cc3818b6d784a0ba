/**
 * A module whose BTF is broken: the load goes on without it, and whoever loads is told.
 */
import { assertEquals } from "@std/assert";
import { FormatError } from "../../lib/errors.ts";
import { Collection, readCollectionSpec } from "../../mod.ts";
import { hostTargets } from "../../ffi/btf/mod.ts";
import { inRepository, needs } from "../support/mod.ts";

Deno.test({
  name: "Collection.load() skips a module whose BTF is broken, and tells skippedModule once",
  ...needs({ bpf: true, btf: true }),
  fn() {
    const bytes = Deno.readFileSync(inRepository("testdata/clang19/core_types.bpf.o"));
    const told: string[] = [];
    using collection = Collection.load(readCollectionSpec(bytes, { name: "core_types" }), {
      targets: hostTargets({
        modules: ["broken"],
        readModule: () => {
          throw new FormatError("broken: is cut off");
        },
      }),
      skippedModule: ({ name }, error) => told.push(`${name}: ${error.message}`),
    });
    assertEquals(collection.programs.size > 0, true);
    assertEquals(told, ["broken: broken: is cut off"]);
  },
});

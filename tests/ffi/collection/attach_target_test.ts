import { assertEquals, assertThrows } from "@std/assert";
import { FormatError, UnsupportedError } from "../../../lib/errors.ts";
import { readCollectionSpec } from "../../../lib/spec/mod.ts";
import { hostTargets } from "../../../ffi/btf/mod.ts";
import { attachTarget } from "../../../ffi/collection/attach_target.ts";
import { inRepository, needs } from "../../support/mod.ts";

/** The running kernel with two modules that cannot be read. */
function kernel() {
  const readModule = (name: string) => {
    throw new FormatError(`${name}: is cut off`);
  };
  return hostTargets({ modules: ["one", "two"], readModule });
}

Deno.test({
  name: "attachTarget() skips modules whose BTF is broken, and says so",
  ...needs({ ffi: true, btf: true }),
  fn() {
    const bytes = Deno.readFileSync(inRepository("testdata/clang19/tracepoints.bpf.o"));
    const { programs } = readCollectionSpec(bytes, { name: "tracepoints.bpf.o" });
    const spec = [...programs.values()].find(({ section }) => section.startsWith("tp_btf/"))!;
    const told: string[] = [];
    const lookup = {
      kernel,
      skipped: ({ name }: { name: string }, error: Error) => told.push(`${name}: ${error.message}`),
    };
    using owned = new DisposableStack();
    assertEquals(attachTarget(spec, undefined, owned, lookup).name, spec.attachTo);
    assertEquals(told, []);
    const find = () => attachTarget(spec, "debpf_nowhere", owned, lookup);
    assertThrows(find, UnsupportedError, 'this kernel has no tracepoint "debpf_nowhere"');
    assertEquals(told, ["one: one: is cut off", "two: two: is cut off"]);
    told.length = 0;
    assertThrows(() => attachTarget(spec, "two:debpf_nowhere", owned, lookup), UnsupportedError);
    assertEquals(told, ["two: two: is cut off"]);
  },
});

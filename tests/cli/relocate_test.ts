import { assertEquals, assertRejects } from "@std/assert";
import { command } from "../../cli/relocate.ts";
import { RelocationError } from "../../lib/errors.ts";
import { CapturedOutput } from "../support/captured_output.ts";
import { inRepository } from "../support/mod.ts";

const KNOWN = inRepository("testdata", "clang19", "core_known.bpf.o");

function kernel(name: string): string {
  return inRepository("testdata", "targets", `${name}.btf`);
}

Deno.test("relocate says in one sentence that object and kernel are of different byte orders", async () => {
  const output = new CapturedOutput({ json: true });
  await assertRejects(
    async () => await command.run([KNOWN, "--btf", kernel("known_new.eb")], { output }),
    RelocationError,
    "core_known is little-endian and",
  );
  assertEquals(output.lines, []);
});

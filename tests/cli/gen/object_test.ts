import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { UsageError } from "../../../cli/command.ts";
import { command } from "../../../cli/gen/mod.ts";
import { LinkError } from "../../../lib/errors.ts";
import { readCollectionSpec } from "../../../lib/spec/mod.ts";
import { CapturedOutput } from "../../support/captured_output.ts";
import { inRepository, needs, runCli } from "../../support/mod.ts";

const [MAIN, LIBRARY, DEFAULTS] = ["main", "library", "defaults"].map((name) =>
  inRepository("testdata", "clang19", "link", `${name}.bpf.o`)
) as [string, string, string];

async function generate(args: string[], json = false): Promise<string[]> {
  const output = new CapturedOutput({ json });
  assertEquals(await command.run(["object", ...args], { output }), 0);
  return output.lines;
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await test(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("gen object links objects into one, and says nothing", () =>
  inFolder(async (folder) => {
    const out = join(folder, "out.bpf.o");
    assertEquals(await generate([out, MAIN, LIBRARY, DEFAULTS]), []);
    const spec = readCollectionSpec(Deno.readFileSync(out), { name: out });
    assertEquals([...spec.programs.keys()].sort(), ["link_library", "link_main"]);
    const { size } = Deno.statSync(out);
    assertEquals(await generate([out, MAIN, LIBRARY, DEFAULTS], true), [JSON.stringify({ file: out, bytes: size })]);
  }));

Deno.test("gen object may write over one of its objects", () =>
  inFolder(async (folder) => {
    const [out, other] = [join(folder, "a.o"), join(folder, "b.o")];
    Deno.copyFileSync(MAIN, out);
    await generate([out, out, LIBRARY]);
    await generate([other, MAIN, LIBRARY]);
    assertEquals(Deno.readFileSync(out).length, Deno.readFileSync(other).length);
  }));

Deno.test("gen object writes nothing if objects do not fit", () =>
  inFolder(async (folder) => {
    const out = join(folder, "out.o");
    await assertRejects(() => generate([out, MAIN, MAIN]), LinkError, 'defines "link_main"');
    await assertRejects(() => generate([out, MAIN, join(folder, "none.o")]), Error, "none.o: no such file");
    await assertRejects(() => generate([out, MAIN, folder]), Error, "is a directory");
    await assertRejects(() => generate([out]), UsageError);
    await assertRejects(() => generate([out, ""]), UsageError);
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("gen object as a process: one line of error, exit code 1", () =>
  inFolder(async (folder) => {
    const { code, stdout, stderr } = await runCli(["gen", "object", join(folder, "out.o"), MAIN, MAIN]);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, `debpf: object "${MAIN}": defines "link_main"`);
  }));

Deno.test({
  name: "debpf run takes what gen object made",
  ...needs({ bpf: true, btf: true }),
  fn: () =>
    inFolder(async (folder) => {
      const out = join(folder, "out.bpf.o");
      await generate([out, MAIN, LIBRARY]);
      const { code, stderr } = await runCli(["run", out, "--duration", "0.1"]);
      assertEquals([code, stderr.includes("error")], [0, false], stderr);
    }),
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { command } from "../../../cli/gen/mod.ts";
import { command as explain } from "../../../cli/explain.ts";
import { UsageError } from "../../../cli/command.ts";
import { Btf } from "../../../lib/btf/mod.ts";
import { RelocationError } from "../../../lib/errors.ts";
import { CapturedOutput } from "../../support/captured_output.ts";
import { inRepository, runCli, testdata } from "../../support/mod.ts";
import { moduleBytes } from "../../lib/core/types.ts";

const KNOWN = inRepository("testdata", "clang19", "core_known.bpf.o");
const MISSING = inRepository("testdata", "clang19", "core_missing.bpf.o");
const [OLD, NEW, BIG] = ["known_old", "known_new", "known_old.eb"].map((name) =>
  inRepository("testdata", "targets", `${name}.btf`)
) as [string, string, string];

async function generate(args: string[], json = false): Promise<string[]> {
  const output = new CapturedOutput({ json });
  assertEquals(await command.run(["min_core_btf", ...args], { output }), 0);
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

/** What the relocations of an object come to, without the types' ids. */
async function answers(object: string, ...btfs: string[]): Promise<unknown[]> {
  const output = new CapturedOutput({ json: true });
  await explain.run([object, ...btfs.flatMap((btf) => ["--btf", btf])], { output });
  return output.lines.map((line) => {
    const { insn, kind, kernels } = JSON.parse(line);
    // Ids are each file's own.
    const isId = kind === "type_id_target";
    return [
      insn,
      kernels.map(({ poisoned, value, new: patched }: Record<string, unknown>) =>
        isId ? value !== 0 : [poisoned, value, patched]
      ),
    ];
  });
}

Deno.test("gen min_core_btf writes one file, against which an object relocates as against the whole", () =>
  inFolder(async (folder) => {
    const out = join(folder, "out.btf");
    const lines = await generate([OLD, out, KNOWN]);
    const { size } = Deno.statSync(out);
    assertEquals(lines, [`${out}: ${size} bytes of known_old`]);
    assert(size < testdata("targets/known_old.btf").length);
    assertEquals(await answers(KNOWN, out), await answers(KNOWN, OLD));
    await generate([NEW, out, KNOWN, MISSING]);
    assertEquals(await answers(KNOWN, out), await answers(KNOWN, NEW));
  }));

Deno.test("gen min_core_btf writes a file for each kernel into a directory, which it makes", () =>
  inFolder(async (folder) => {
    const made = join(folder, "made/");
    const lines = await generate([OLD, NEW, made, KNOWN], true);
    assertEquals(lines.map((line) => JSON.parse(line).file), [
      join(made, "known_old.btf"),
      join(made, "known_new.btf"),
    ]);
    assertEquals([...Deno.readDirSync(made)].map(({ name }) => name).sort(), ["known_new.btf", "known_old.btf"]);
    assertEquals(
      await answers(KNOWN, join(made, "known_old.btf"), join(made, "known_new.btf")),
      await answers(KNOWN, OLD, NEW),
    );
  }));

Deno.test("gen min_core_btf merges what a module contributes, and skips a module that is broken", () =>
  inFolder(async (folder) => {
    const base = Btf.parse(testdata("targets/known_old.btf"));
    const [module, broken] = [join(folder, "mod.btf"), join(folder, "broken.btf")];
    const bytes = moduleBytes(base, ["in_no_kernel"]);
    Deno.writeFileSync(module, bytes);
    const unknownKind = moduleBytes(base, ["other"]);
    unknownKind[24 + 7] = 99;
    Deno.writeFileSync(broken, unknownKind);
    const output = new CapturedOutput();
    await command.run(["min_core_btf", OLD, broken, module, folder, MISSING], { output });
    assertEquals(output.notes.length, 1);
    assert(output.notes[0]!.startsWith("broken: skipped, its BTF is broken: "), output.notes[0]);
    const minimal = Btf.parse(Deno.readFileSync(join(folder, "known_old.btf")));
    assertEquals([...minimal.types()].map(({ name }) => name), ["in_no_kernel"]);
    assertEquals(await answers(MISSING, join(folder, "known_old.btf")), await answers(MISSING, OLD, module));
  }));

Deno.test("gen min_core_btf refuses what makes no sense, and writes nothing then", () =>
  inFolder(async (folder) => {
    const out = join(folder, "out.btf");
    await assertRejects(() => generate([OLD, out]), UsageError, "OBJECT is missing");
    await assertRejects(() => generate([BIG, out, KNOWN]), RelocationError, '"known_old.eb" is big-endian');
    await assertRejects(() => generate([OLD, OLD, folder, KNOWN]), UsageError, "two kernels would be written to");
    await assertRejects(() => generate([OLD, BIG, folder, KNOWN]), RelocationError, "big-endian");
    await assertRejects(
      async () => await command.run(["skel"], { output: new CapturedOutput() }),
      UsageError,
      'no "skel"',
    );
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("gen min_core_btf runs without FFI, with permission to read and write", () =>
  inFolder(async (folder) => {
    const out = join(folder, "out.btf");
    const permissions = ["--allow-read", "--allow-write"];
    const { code, stderr } = await runCli(["gen", "min_core_btf", OLD, out, KNOWN], { permissions });
    assertEquals([code, stderr], [0, ""]);
    assertEquals(await answers(KNOWN, out), await answers(KNOWN, OLD));
    const refused = await runCli(["gen", "min_core_btf", OLD, out, KNOWN], { permissions: ["--allow-read"] });
    assertEquals(refused.code, 1);
    assert(refused.stderr.includes("writing it needs --allow-ffi or --allow-write"), refused.stderr);
  }));

/**
 * `debpf gen min_core_btf` against bpftool's: libbpf relocates every object against our file as against the whole BTF, and
 * ours is no larger.
 */
import { assert, assertEquals } from "@std/assert";
import { basename } from "@std/path";
import { command } from "../../cli/gen/mod.ts";
import { command as relocate } from "../../cli/relocate.ts";
import { CapturedOutput } from "../support/captured_output.ts";
import { inRepository, needs } from "../support/mod.ts";
import { parseLines, type ProgLine, type RelocateOutput, runOracle } from "../support/oracle.ts";
import { run } from "../support/process.ts";

const OBJECTS = ["clang14", "clang19"].flatMap((folder) =>
  [...Deno.readDirSync(inRepository("testdata", folder))].map(({ name }) => name).sort()
    .filter((name) => /^(core_|truth\.|tracepoints\.)/.test(name) && !name.endsWith(".eb.bpf.o"))
    .map((name) => inRepository("testdata", folder, name))
);

const KERNELS: readonly string[] = ["known_old", "known_new", "known_ambiguous"]
  .map((name) => inRepository("testdata", "targets", `${name}.btf`)).concat("/sys/kernel/btf/vmlinux", otherKernels());

/** BTF of other kernels: the little-endian files of DEBPF_BTF_DIR. */
function otherKernels(): string[] {
  const folder = Deno.env.get("DEBPF_BTF_DIR");
  if (folder === undefined) return [];
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  return names.filter((name) => name.endsWith(".btf") && !name.includes("s390x")).sort().map((name) =>
    `${folder}/${name}`
  );
}

async function generate(...args: string[]): Promise<void> {
  assertEquals(await command.run(["min_core_btf", ...args], { output: new CapturedOutput() }), 0);
}

/** Slots of immediates that are ids of the kernel's types, by program. */
async function targetIds(object: string, btf: string): Promise<Map<string, Set<number>>> {
  const output = new CapturedOutput({ json: true });
  await relocate.run([object, "--btf", btf], { output });
  const programs = parseLines(output.lines.join("\n")).filter((line): line is ProgLine => line.kind === "prog");
  return new Map(programs.map(({ name, type_refs = [] }) => [
    name,
    new Set(type_refs.filter(({ kind }) => kind === "target").map(({ insn }) => insn)),
  ]));
}

/** What libbpf loads, without map fds and the kernel's type ids; those that are 0 stay. */
function loaded({ code, lines }: RelocateOutput, ids: ReadonlyMap<string, ReadonlySet<number>>): unknown[] {
  const programs = lines.filter((line) => line.kind === "prog" || line.kind === "prog_error");
  return [
    code,
    ...programs.map((line) => {
      if (line.kind === "prog_error") return line.name;
      const insns = line.insns.match(/.{16}/g) ?? [];
      const masked = new Set(line.map_refs.map(({ insn }) => insn));
      return [
        line.name,
        insns.map((text, slot) => {
          const isId = ids.get(line.name)?.has(slot) && !text.endsWith("00000000");
          return masked.has(slot) || isId ? `${text.slice(0, 8)} masked` : text;
        }),
      ];
    }),
  ];
}

const SKIPPED = needs({ bpf: true, btf: true, peer: "oracle" }).ignore || needs({ peer: "bpftool" }).ignore;

for (const kernel of KERNELS) {
  Deno.test({
    name: `gen min_core_btf: libbpf relocates against it as against ${basename(kernel)}, and bpftool's is no smaller`,
    ignore: SKIPPED,
    async fn(test) {
      const folder = Deno.makeTempDirSync();
      try {
        const [ours, theirs] = [`${folder}/ours.btf`, `${folder}/theirs.btf`];
        for (const object of OBJECTS) {
          await test.step(basename(object), async () => {
            await generate(kernel, ours, object);
            const whole = await runOracle(object, kernel);
            const minimal = await runOracle(object, ours);
            const ids = await targetIds(object, kernel);
            assertEquals(loaded(minimal, ids), loaded(whole, ids));
            const { code } = await run("bpftool", ["gen", "min_core_btf", kernel, theirs, object]);
            // bpftool gives up where an object cannot be relocated.
            if (code === 0) assert(Deno.statSync(ours).size <= Deno.statSync(theirs).size);
          });
        }
        await test.step("all objects at once", async () => {
          await generate(kernel, ours, ...OBJECTS);
          for (const object of OBJECTS) {
            const ids = await targetIds(object, kernel);
            assertEquals(loaded(await runOracle(object, ours), ids), loaded(await runOracle(object, kernel), ids));
          }
        });
      } finally {
        Deno.removeSync(folder, { recursive: true });
      }
    },
  });
}

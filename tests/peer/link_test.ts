/**
 * The static linker against libbpf's: of the same objects both make one that libbpf and we read as the same programs,
 * maps and data, ours with no more types.
 */
import { assert, assertEquals } from "@std/assert";
import { basename, join } from "@std/path";
import { command } from "../../cli/relocate.ts";
import { encode } from "../../lib/asm/mod.ts";
import { Btf } from "../../lib/btf/mod.ts";
import { ElfFile } from "../../lib/elf/mod.ts";
import { DebpfError } from "../../lib/errors.ts";
import { linkObjects } from "../../lib/linker/static/mod.ts";
import { readCollectionSpec } from "../../lib/spec/mod.ts";
import { CapturedOutput } from "../support/captured_output.ts";
import { clangPath, inRepository, libbpfLinkPath, needs, run } from "../support/mod.ts";
import { parseLines, type RelocateOutput, runOracle } from "../support/oracle.ts";
import { normalForms } from "./normal_form.ts";

const NEEDS = needs({ bpf: true, btf: true, peer: "linker", program: "readelf" });

/** Data maps are called after the file. */
const NAME = "linked.bpf.o";

function objectsIn(folder: string): string[] {
  const names = [...Deno.readDirSync(inRepository("testdata", folder))].map(({ name }) => name);
  return names.filter((name) => name.endsWith(".bpf.o")).sort().map((name) => inRepository("testdata", folder, name));
}

/** What `debpf relocate -j` prints. */
async function runOurs(object: string): Promise<RelocateOutput> {
  const output = new CapturedOutput({ json: true });
  try {
    const code = await command.run([object], { output });
    return { code, lines: parseLines(output.lines.join("\n")) };
  } catch (error) {
    if (!(error instanceof DebpfError)) throw error;
    return { code: 1, lines: [] };
  }
}

function btfOf(object: string): Btf | undefined {
  const section = ElfFile.parse(Deno.readFileSync(object), object).section(".BTF");
  return section === undefined ? undefined : Btf.parse(section.bytes());
}

interface Folders {
  readonly ours: string;
  readonly theirs: string;
}

async function inFolders(test: (folders: Folders) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const folders = { ours: join(folder, "ours"), theirs: join(folder, "theirs") };
  try {
    for (const path of Object.values(folders)) await Deno.mkdir(path);
    await test(folders);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Links with both; gives what we say against it where both refuse. */
async function link(paths: readonly string[], folders: Folders): Promise<{ ours: string; theirs: string } | Error> {
  const [ours, theirs] = [join(folders.ours, NAME), join(folders.theirs, NAME)];
  const { code, stderr } = await run(libbpfLinkPath(), [theirs, ...paths]);
  try {
    await Deno.writeFile(ours, linkObjects(paths.map((name) => ({ name, bytes: Deno.readFileSync(name) }))));
  } catch (error) {
    if (!(error instanceof DebpfError)) throw error;
    assert(code !== 0, `libbpf links what we refuse: ${error.message}`);
    return error;
  }
  if (code === 0) return { ours, theirs };
  // What libbpf refuses without need is in link_objects_test.ts.
  return new Error(`libbpf refuses: ${stderr}`);
}

/** Fails unless both linked objects are the same in all that counts. */
async function compare(ours: string, theirs: string): Promise<void> {
  const { stdout, stderr } = await run("readelf", ["-a", "-W", ours]);
  assertEquals(`${stdout}${stderr}`.split("\n").filter((line) => /warning|error:/i.test(line)), []);
  const [ourBtf, theirBtf] = [btfOf(ours), btfOf(theirs)];
  assert((ourBtf?.typeCount ?? 0) <= (theirBtf?.typeCount ?? 0), "more types than libbpf's");
  if (ElfFile.parse(Deno.readFileSync(ours)).order === "big") {
    // libbpf opens no object of the other byte order.
    assertEquals(contents(ours), contents(theirs));
    return;
  }
  const forms = normalForms(await withTypeRefs(ours), await runOracle(theirs), theirBtf);
  assertEquals(forms.ours, forms.theirs);
}

/** What libbpf would load of an object, and where its instructions have local type ids: we say that only. */
async function withTypeRefs(object: string): Promise<RelocateOutput> {
  const [theirs, ours] = [await runOracle(object), await runOurs(object)];
  const refs = new Map(ours.lines.flatMap((line) => line.kind === "prog" ? [[line.name, line.type_refs ?? []]] : []));
  const lines = theirs.lines.map((line) =>
    line.kind === "prog" ? { ...line, type_refs: refs.get(line.name) ?? [] } : line
  );
  return { ...theirs, lines };
}

/** Programs, functions, maps and data. */
function contents(path: string): unknown {
  const spec = readCollectionSpec(Deno.readFileSync(path), { name: NAME });
  const bytes = (code: { instructions: Parameters<typeof encode>[0] }) => encode(code.instructions, spec.order);
  return {
    programs: [...spec.programs.values()].map((program) => [program.name, program.section, bytes(program)]),
    functions: spec.functions.map((fn) => [fn.label.name, bytes(fn)]),
    maps: [...spec.maps.values()].map(({ name, type, keySize, valueSize, maxEntries, flags, extra, data }) => {
      return { name, type, keySize, valueSize, maxEntries, flags, extra, data };
    }),
  };
}

for (const compiler of ["clang14", "clang19"]) {
  Deno.test({
    name: `linkObjects() makes of each object what libbpf's linker makes of it: ${compiler}`,
    ...NEEDS,
    fn: (test) =>
      inFolders(async (folders) => {
        for (const path of objectsIn(compiler)) {
          await test.step(basename(path), async () => {
            const linked = await link([path], folders);
            if (!(linked instanceof Error)) await compare(linked.ours, linked.theirs);
          });
        }
      }),
  });

  Deno.test({
    name: `linkObjects() makes of two objects what libbpf's linker makes of them: ${compiler}`,
    ...NEEDS,
    fn: (test) =>
      inFolders(async (folders) => {
        const paths = objectsIn(compiler);
        let compared = 0;
        for (const [i, path] of paths.entries()) {
          // Neighbours are variants of one source, which have the same names.
          const other = paths[(i + 7) % paths.length]!;
          await test.step(`${basename(path)}, ${basename(other)}`, async () => {
            const linked = await link([path, other], folders);
            if (linked instanceof Error) return;
            compared++;
            await compare(linked.ours, linked.theirs);
          });
        }
        assert(compared > 15, `only ${compared} pairs can be linked`);
      }),
  });

  for (const names of [["library", "main"], ["library.eb", "main.eb"]]) {
    Deno.test({
      name: `linkObjects() makes of externs and definitions what libbpf's linker makes of them: ${compiler}: ${names}`,
      ...NEEDS,
      fn: () =>
        inFolders(async (folders) => {
          const paths = names.map((name) => inRepository("testdata", compiler, "link", `${name}.bpf.o`));
          const linked = await link(paths, folders);
          if (linked instanceof Error) throw linked;
          await compare(linked.ours, linked.theirs);
        }),
    });
  }
}

const UNITS = 20;

/** Two programs that read kernel structs, own maps, globals and statics, a shared weak function, an extern of the neighbour's. */
function unit(index: number): string {
  const other = index ^ 1;
  const reads = ["pid", "tgid", "flags", "prio", "exit_code", "static_prio", "policy"].map((_, i, all) => {
    const field = all[(index + i * 3) % all.length]!;
    return `  sum += core_read((struct task_struct *)args[0], ${field});`;
  });
  // Each weak function has a relocation of its own, and of the others nothing is left to see.
  const own = index % 2 === 0 ? "prio" : "debpf_missing";
  const program = (i: number) => `
SEC("raw_tp/sys_enter") int unit${index}_${i}(u64 *args)
{
  u32 key = ${i};
  u64 sum = 0, *found = bpf_map_lookup_elem(&map${index}, &key);
${reads.slice(i).join("\n")}
  if (found) *found += sum;
  total${index} += other${other}(common(sum)) + seen++;
  return 0;
}`;
  return `#include "debpf_test.h"
struct task_struct { int pid, tgid, prio, exit_code, static_prio, debpf_missing; unsigned flags, policy; } KERNEL;
u64 total${index};
const volatile int factor${index} = ${index};
static int seen = ${index};
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64); __type(key, u32); __type(value, u64); } map${index}
  SEC(".maps");
WEAK int common(int a) { return a + core_read((struct task_struct *)bpf_get_current_task(), ${own}); }
int other${index}(int a) { return a + factor${index}; }
extern int other${other}(int a);
${program(0)}
${program(1)}
char LICENSE[] SEC("license") = "GPL";
`;
}

Deno.test({
  name: `linkObjects() makes of 2 and of ${UNITS} units what libbpf's linker makes of them`,
  ...needs({ bpf: true, btf: true, peer: "linker", program: "readelf", clang: "19" }),
  fn: () =>
    inFolders(async (folders) => {
      const objects: string[] = [];
      for (let i = 0; i < UNITS; i++) {
        const source = join(folders.ours, `unit${i}.bpf.c`);
        const object = join(folders.ours, `unit${i}.bpf.o`);
        await Deno.writeTextFile(source, unit(i));
        const options = ["-target", "bpf", "-g", "-O2", `-I${inRepository("testdata", "include")}`];
        const { code, stderr } = await run(clangPath("19")!, [...options, "-c", source, "-o", object]);
        assertEquals(code, 0, stderr);
        objects.push(object);
      }
      for (const paths of [objects.slice(0, 2), objects, objects.toReversed()]) {
        const linked = await link(paths, folders);
        if (linked instanceof Error) throw linked;
        await compare(linked.ours, linked.theirs);
      }
    }),
});

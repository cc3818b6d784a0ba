/**
 * Builds the BPF objects of testdata/ and examples/, and embeds the one that the tool brings along.
 *
 * `deno task testdata` (needs clang and llvm, 14 and 19: Debian's clang-14, llvm-14, clang-19, llvm-19; 22 for jump tables)
 *
 * The same sources and compilers give the same bytes wherever the repository lies: paths in BTF are relative to it. What
 * the objects are for is in testdata/README.md.
 *
 * @module
 */
import { basename, dirname, fromFileUrl, join } from "@std/path";
import { buildPrograms } from "./build_programs.ts";
import { command } from "./command.ts";
import { embedExecsnoop } from "./embed_execsnoop.ts";

type Clang = 14 | 19 | 22;

/** One object to build: `name` + `suffix` of `testdata/<name>.bpf.c`. */
interface Build {
  readonly source: string;
  readonly output: string;
  readonly clang: Clang;
  /** -mcpu=v1 to v4. */
  readonly cpu: number;
  readonly bigEndian?: boolean;
  /** Keep BTF (built with -g). */
  readonly btf: boolean;
  /** Other options of the compiler. */
  readonly options?: readonly string[];
}

const ROOT = fromFileUrl(new URL("../", import.meta.url));
const CLANGS: readonly Clang[] = [14, 19];
/** The instruction set of whatever has no reason for another: what libbpf's users build with. */
const USUAL_CPU = 3;

/** Sources that one compiler only can build: type_matches came with clang 15, address spaces with 19, jump tables with 22. */
const ONLY: ReadonlyMap<string, Clang> = new Map<string, Clang>([["core_type_matches", 19], ["arena", 19], [
  "jump_tables",
  22,
]]);
/** Built without -g. */
const WITHOUT_BTF: ReadonlySet<string> = new Set(["nobtf"]);
/** Sources built for other instruction sets, too: `truth.v1.bpf.o`. v4 came with clang 18. */
const OTHER_CPUS: ReadonlyMap<string, readonly number[]> = new Map([
  ["core_fields", [1]],
  ["core_known", [1, 4]],
  ["core_missing", [4]],
  ["core_width", [2, 4]],
  ["insns", [1, 2, 4]],
  ["truth", [1, 2, 4]],
]);
/** Sources built for the other byte order, too: `truth.eb.bpf.o`. */
const BIG_ENDIAN: ReadonlySet<string> = new Set([
  "core_fields",
  "core_known",
  "core_missing",
  "events",
  "insns",
  "maps",
  "truth",
  "truth_callbacks",
]);

/** Jump tables come with instruction set v4, and by default for more cases than a test wants to have. */
const JUMP_TABLES: Build = {
  source: "testdata/jump_tables.bpf.c",
  output: "testdata/clang22/jump_tables.bpf.o",
  clang: 22,
  cpu: 4,
  btf: true,
  options: ["-mllvm", "-bpf-min-jump-table-entries=4"],
};

async function plan(): Promise<Build[]> {
  const builds: Build[] = [JUMP_TABLES];
  const names = (await filesOf("testdata", ".bpf.c")).map((file) => basename(file, ".bpf.c"));
  for (const name of names) {
    for (const clang of CLANGS) {
      if ((ONLY.get(name) ?? clang) !== clang) continue;
      const common = { source: `testdata/${name}.bpf.c`, clang, cpu: USUAL_CPU, btf: !WITHOUT_BTF.has(name) };
      const output = (suffix: string) => `testdata/clang${clang}/${name}${suffix}.bpf.o`;
      builds.push({ ...common, output: output("") });
      for (const cpu of OTHER_CPUS.get(name) ?? []) {
        if (cpu < 4 || clang >= 18) builds.push({ ...common, cpu, output: output(`.v${cpu}`) });
      }
      if (BIG_ENDIAN.has(name)) builds.push({ ...common, bigEndian: true, output: output(".eb") });
    }
  }
  // Parts of objects, to be linked: in folders of their own, since alone they cannot be loaded.
  for (const source of await filesOf("testdata/link", ".bpf.c")) {
    for (const clang of CLANGS) {
      for (const bigEndian of [false, true]) {
        const output = `testdata/clang${clang}/link/${basename(source, ".bpf.c")}${bigEndian ? ".eb" : ""}.bpf.o`;
        builds.push({ source, output, clang, cpu: USUAL_CPU, bigEndian, btf: true });
      }
    }
  }
  const execsnoop = "examples/execsnoop/execsnoop.bpf";
  builds.push({ source: `${execsnoop}.c`, output: `${execsnoop}.o`, clang: 19, cpu: USUAL_CPU, btf: true });
  return builds;
}

/** Paths of the files in `folder` whose names end in `ending`, sorted. */
async function filesOf(folder: string, ending: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(join(ROOT, folder)));
  return entries.map(({ name }) => `${folder}/${name}`).filter((path) => path.endsWith(ending)).sort();
}

async function compile(build: Build, output: string): Promise<void> {
  await command(`clang-${build.clang}`, [
    `--target=${build.bigEndian ? "bpfeb" : "bpfel"}`,
    `-mcpu=v${build.cpu}`,
    `-DCPU=${build.cpu}`,
    "-O2",
    ...(build.btf ? ["-g"] : []),
    ...build.options ?? [],
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-parameter",
    // Line infos name the source by its path from here, and quote its lines only where that path can be opened.
    "-fdebug-compilation-dir=.",
    "-Itestdata/include",
    "-Iexamples/include",
    "-c",
    build.source,
    "-o",
    output,
  ], { cwd: ROOT });
  // Takes DWARF, leaves BTF.
  await command(`llvm-strip-${build.clang}`, ["-g", output]);
}

/** A made-up kernel: only the BTF of it is of use, as a file of its own. */
async function compileTarget(source: string, output: string, bigEndian: boolean, scratch: string): Promise<void> {
  const object = join(scratch, "target.o");
  await compile({ source, output, clang: 19, cpu: USUAL_CPU, bigEndian, btf: true }, object);
  await command("llvm-objcopy-19", [`--dump-section=.BTF=${output}`, object, join(scratch, "rest.o")]);
}

async function runs(tool: string): Promise<boolean> {
  try {
    return (await new Deno.Command(tool, { args: ["--version"], stdout: "null" }).output()).success;
  } catch (error) {
    // A program that is not there is an exception, not a status.
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function requireTools(): Promise<void> {
  const tools = [...CLANGS.flatMap((version) => [`clang-${version}`, `llvm-strip-${version}`]), "llvm-objcopy-19"];
  const missing = [];
  for (const tool of tools) {
    if (!await runs(tool)) missing.push(tool);
  }
  if (missing.length === 0) return;
  console.error(`missing: ${missing.join(", ")}; on Debian: apt-get install clang-14 llvm-14 clang-19 llvm-19`);
  Deno.exit(1);
}

/** Puts a file in its place whole: tests may be reading the one that was there. */
async function place(from: string, output: string): Promise<void> {
  const path = join(ROOT, output);
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.copyFile(from, `${path}.new`);
  await Deno.rename(`${path}.new`, path);
}

async function build(): Promise<void> {
  await requireTools();
  const scratch = await Deno.makeTempDir();
  try {
    const outputs = new Set<string>();
    for (const step of await plan()) {
      if (step.clang === 22 && !await runs("clang-22")) {
        console.error(
          `${step.output}: left as it is: it needs clang-22 and llvm-22 (Debian's security suites have them)`,
        );
        continue;
      }
      const object = join(scratch, basename(step.output));
      await compile(step, object);
      await place(object, step.output);
      outputs.add(step.output);
    }
    for (const source of await filesOf("testdata/targets", ".c")) {
      for (const bigEndian of [false, true]) {
        const output = source.replace(/\.c$/, bigEndian ? ".eb.btf" : ".btf");
        const blob = join(scratch, basename(output));
        await compileTarget(source, blob, bigEndian, scratch);
        await place(blob, output);
      }
    }
    for (const clang of CLANGS) {
      for (const folder of [`testdata/clang${clang}`, `testdata/clang${clang}/link`]) {
        for (const file of await filesOf(folder, ".o")) {
          if (!outputs.has(file)) await Deno.remove(join(ROOT, file));
        }
      }
    }
    await buildPrograms();
    await embedExecsnoop();
    console.log(`built ${outputs.size} objects`);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

if (import.meta.main) await build();

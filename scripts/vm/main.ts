/**
 * Runs the tests that ask the kernel, or any command, in kernels that are booted for it.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join, resolve } from "@std/path";
import { command } from "../command.ts";
import { boot, type Ended } from "./boot.ts";
import { cached, exists, ROOT } from "./cache.ts";
import { prepareDenoDir } from "./guest.ts";
import { kernelImage } from "./kernel_image.ts";
import { type Arch, chosenKernels, type Kernel, usualKernels } from "./kernels.ts";
import { type KernelResult, parseReport, skipReasons } from "./results.ts";
import { kernelsPage } from "./table.ts";

const USAGE = `deno task vm [KERNEL...] [--filter NAME] [--arch arm64] [--run COMMAND] [--out DIR] [--time SECONDS]

Boots kernels under qemu and runs the tests of tests/kernel and tests/ffi in each, or COMMAND.

  KERNEL         5.10, 6.1, 6.12, 7.x; without: all of them (on arm64: 6.12)
  --filter NAME  only tests whose names contain NAME, or match /NAME/
  --arch ARCH    amd64 or arm64; default: amd64
  --run COMMAND  what sh runs instead of tests, as root, in the checkout
  --out DIR      where the files go that COMMAND leaves in /out; default: .cache/vm/out
  --time SECONDS after which a machine is switched off; default: 900`;

/** What is tested in every kernel. */
const TESTS = ["tests/kernel", "tests/ffi"];
/**
 * Not here: tests of what V8 does to memory while a call is under way. They collect garbage all the time, which takes
 * minutes where the CPU is emulated, and the kernel has no part in it.
 */
const NOT_HERE = ["tests/ffi/sys/lifetime_test.ts", "tests/ffi/sys/wire_test.ts"];

interface Options {
  readonly arch: Arch;
  readonly filter: string | undefined;
  readonly run: string | undefined;
  readonly out: string;
  readonly timeLimit: number;
}

/** One kernel's answer. */
interface Answer {
  readonly ok: boolean;
  /** One line for the end. */
  readonly summary: string;
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["_", "arch", "filter", "out", "run", "time"],
    boolean: ["help"],
    default: { arch: "amd64", out: cached("out"), time: "900" },
  });
  const timeLimit = Number(args.time);
  if (args.help || (args.arch !== "amd64" && args.arch !== "arm64") || !(timeLimit > 0)) {
    console.error(USAGE);
    return args.help ? 0 : 2;
  }
  const { arch, filter, run } = args;
  const options: Options = { arch, filter, run, out: resolve(args.out ?? ""), timeLimit };
  const kernels = chosenKernels(args._.map(String), options.arch);
  const files = options.run === undefined ? await testFiles() : [];
  await prepareDenoDir(["mod.ts", "cli.ts", ...files]);
  const answers: Answer[] = [];
  for (const kernel of kernels) {
    answers.push(
      await (options.run === undefined ? testIn(kernel, files, options) : runIn(kernel, options, kernels.length)),
    );
  }
  if (options.run === undefined && options.filter === undefined) await writePage();
  for (const { summary } of answers) console.log(summary);
  return answers.every(({ ok }) => ok) ? 0 : 1;
}

async function runIn(kernel: Kernel, options: Options, kernels: number): Promise<Answer> {
  const image = await kernelImage(kernel);
  const out = kernels === 1 ? options.out : join(options.out, `${kernel.arch}-${kernel.name}`);
  const ended = await boot({
    ...kernel,
    image,
    script: options.run ?? "",
    out,
    timeLimit: options.timeLimit,
    line: say,
  });
  const files = ended.files ? `, files in ${out}` : "";
  return { ok: ended.code === 0, summary: `${title(kernel)}: ${outcome(ended)}${files}` };
}

async function testIn(kernel: Kernel, files: readonly string[], options: Options): Promise<Answer> {
  const image = await kernelImage(kernel);
  console.log(`\n== ${title(kernel)}: ${image.release}`);
  const out = cached("reports", `${kernel.arch}-${kernel.name}`);
  await Deno.remove(out, { recursive: true }).catch(() => {});
  const filter = options.filter === undefined ? "" : `--filter ${quoted(options.filter)} `;
  const script = `export DEBPF_CI=1 DEBPF_VM=1
deno test -A --no-check --no-remote --junit-path=/out/junit.xml ${filter}${files.join(" ")}`;
  const lines: string[] = [];
  const line = (text: string) => {
    lines.push(text);
    say(text);
  };
  const ended = await boot({ ...kernel, image, script, out, timeLimit: options.timeLimit, line });
  const report = await Deno.readTextFile(join(out, "junit.xml")).catch(() => "");
  const results = parseReport(report, skipReasons(lines));
  const count = (what: "passed" | "failed" | "skipped") => results.reduce((sum, file) => sum + file[what], 0);
  const ok = ended.code === 0 && count("passed") > 0;
  if (ok && options.filter === undefined) {
    const day = new Date().toISOString().slice(0, 10);
    await keep({ name: kernel.name, arch: kernel.arch, release: image.release, day, files: results });
  }
  const counts = `${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`;
  const why = ok ? "" : ended.code === 0 ? ": no test ran" : `: ${outcome(ended)}`;
  return { ok, summary: `${ok ? "ok" : "FAILED"} ${title(kernel)}: ${counts}${why} (${ended.seconds} s)` };
}

function outcome({ code, why, seconds }: Ended): string {
  return code === undefined ? why : `exit code ${code} after ${seconds} s`;
}

function title({ name, arch }: Kernel): string {
  return `Linux ${name} ${arch}`;
}

function say(line: string): void {
  console.log(line);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Files of tests, by name. */
async function testFiles(): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
      if (isDirectory) await walk(join(folder, name));
      else if (name.endsWith("_test.ts")) found.push(join(folder, name));
    }
  };
  for (const folder of TESTS) await walk(folder);
  return found.filter((file) => !NOT_HERE.includes(file)).sort();
}

function resultPath({ arch, name }: { readonly arch: string; readonly name: string }): string {
  return cached("results", `${arch}-${name}.json`);
}

async function keep(result: KernelResult): Promise<void> {
  await Deno.mkdir(cached("results"), { recursive: true });
  await Deno.writeTextFile(resultPath(result), JSON.stringify(result));
}

/** Writes docs/kernels.md once every usual kernel has been tested here. */
async function writePage(): Promise<void> {
  const results: KernelResult[] = [];
  for (const kernel of usualKernels()) {
    const path = resultPath(kernel);
    if (!await exists(path)) return console.log(`docs/kernels.md stays: ${title(kernel)} has not passed here yet`);
    results.push(JSON.parse(await Deno.readTextFile(path)));
  }
  const page = join(ROOT, "docs/kernels.md");
  await Deno.writeTextFile(page, kernelsPage(results));
  await command(Deno.execPath(), ["fmt", "--quiet", page], { cwd: ROOT });
  console.log("wrote docs/kernels.md");
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    console.error(`vm: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}

/**
 * Runs the tests that ask the kernel, or any command, in kernels that are booted for it.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join, resolve } from "@std/path";
import { command } from "../command.ts";
import { attachPage, type AttachResult, attachRows, merged } from "./attach_rows.ts";
import { boot, type Ended } from "./boot.ts";
import { cached, exists, ROOT } from "./cache.ts";
import { prepareDenoDir } from "./guest.ts";
import { kernelImage } from "./kernel_image.ts";
import { type Arch, chosenKernels, type Kernel, usualKernels } from "./kernels.ts";
import { casesOf, type KernelResult, parseReport, skipReasons, withLater } from "./results.ts";
import { kernelsPage } from "./table.ts";

const USAGE = `deno task vm [KERNEL...] [FILE...] [--filter NAME | --skipped REPORT] [--arch arm64] [--run COMMAND]
                               [--out DIR] [--time SECONDS]

Boots kernels under qemu and runs the tests of tests/kernel and tests/ffi in each, or COMMAND.

  KERNEL         5.10, 6.1, 6.12, 7.x; without: all of them (on arm64: 6.12)
  FILE           only tests in files whose paths contain FILE, which has a slash: kernel/attach_
  --filter NAME  only tests whose names contain NAME, or match /NAME/
  --skipped REPORT
                 only tests that were skipped in this report of \`deno test --junit-path\`
  --arch ARCH    amd64 or arm64; default: amd64
  --run COMMAND  what sh runs instead of tests, as root, in the checkout
  --out DIR      where the files go that COMMAND leaves in /out; default: .cache/vm/out
  --time SECONDS after which a machine is switched off; default: 900`;

/** The module that imports all tests; only in virtual machines. */
const ALL_TESTS = "all_tests.ts";
/** What is tested in every kernel. */
const TESTS = ["tests/kernel", "tests/ffi"];
/**
 * Not here: tests of what V8 does to memory while a call is under way. They collect garbage all the time, which takes
 * minutes where the CPU is emulated, and the kernel has no part in it.
 */
const NOT_HERE = ["tests/ffi/sys/lifetime_test.ts", "tests/ffi/sys/wire_test.ts"];

/** These play other kernels, of which this library keeps in mind what it has found out: each has a fresh start. */
const APART = /older_kernel/;

interface Options {
  readonly arch: Arch;
  readonly filter: string | undefined;
  readonly run: string | undefined;
  /** Whether all tests are to run. */
  readonly whole: boolean;
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
    string: ["_", "arch", "filter", "out", "run", "skipped", "time"],
    boolean: ["help"],
    default: { arch: "amd64", out: cached("out"), time: "900" },
  });
  const timeLimit = Number(args.time);
  if (args.help || (args.arch !== "amd64" && args.arch !== "arm64") || !(timeLimit > 0)) {
    console.error(USAGE);
    return args.help ? 0 : 2;
  }
  const { arch, run, skipped } = args;
  const [given, names] = partitioned(args._.map(String), (argument) => argument.includes("/"));
  const chosen = skipped === undefined ? { parts: given, filter: args.filter } : await skippedIn(skipped);
  const { parts, filter } = chosen;
  const whole = filter === undefined && parts.length === 0;
  const options: Options = { arch, filter, run, whole, out: resolve(args.out ?? ""), timeLimit };
  const kernels = chosenKernels(names, options.arch);
  const files = options.run === undefined ? await testsNamed(filter, await testFiles(parts)) : [];
  await prepareDenoDir(["mod.ts", "cli.ts", ...files]);
  const answers: Answer[] = [];
  for (const kernel of kernels) {
    answers.push(
      await (options.run === undefined ? testIn(kernel, files, options) : runIn(kernel, options, kernels.length)),
    );
  }
  if (options.run === undefined && filter === undefined) await writePage();
  if (options.run === undefined) await writeAttachPage();
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
  const [apart, together] = partitioned(files, (file) => APART.test(file));
  // One module that imports most: a fresh start of Deno for each file takes as long as its tests.
  const all = together.map((file) => `import "./${file}";\n`).join("");
  const script = `export DEBPF_CI=1 DEBPF_VM=1
deno test -A --no-check --no-remote --junit-path=/out/junit.xml ${filter}${[ALL_TESTS, ...apart].join(" ")}`;

  const lines: string[] = [];
  const line = (text: string) => {
    lines.push(text);
    say(text);
  };
  const ended = await boot({
    ...kernel,
    image,
    script,
    files: { [ALL_TESTS]: all },
    out,
    timeLimit: options.timeLimit,
    line,
  });
  const report = await Deno.readTextFile(join(out, "junit.xml")).catch(() => "");
  const results = parseReport(report, skipReasons(lines));
  const count = (what: "passed" | "failed" | "skipped") => results.reduce((sum, file) => sum + file[what], 0);
  const ok = ended.code === 0 && count("passed") > 0;
  await keepAttach(kernel, image.release, report, options.whole);
  if (ok && options.filter === undefined) {
    const day = new Date().toISOString().slice(0, 10);
    const { name, arch } = kernel;
    await keep({ name, arch, release: image.release, day, ran: files, files: results }, options.whole);
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

function partitioned<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}

/** Files of tests, by name; those whose paths contain one of `parts`, if there is any. */
async function testFiles(parts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
      if (isDirectory) await walk(join(folder, name));
      else if (name.endsWith("_test.ts")) found.push(join(folder, name));
    }
  };
  for (const folder of TESTS) await walk(folder);
  const wanted = (file: string) => parts.length === 0 || parts.some((part) => file.includes(part));
  return found.filter((file) => !NOT_HERE.includes(file) && wanted(file)).sort();
}

/** The files of kernel tests that a report skipped, and a filter for just those. */
async function skippedIn(report: string): Promise<{ parts: string[]; filter: string }> {
  const skipped = casesOf(await Deno.readTextFile(report)).filter(({ file, outcome }) =>
    outcome === "skipped" && /^tests\/(kernel|ffi)\//.test(file)
  );
  if (skipped.length === 0) throw new Error(`${report}: no kernel test was skipped`);
  const names = new Set(skipped.map(({ name }) => RegExp.escape(name)));
  return { parts: [...new Set(skipped.map(({ file }) => file))], filter: `/^(?:${[...names].join("|")})$/` };
}

/**
 * Files with a test that `deno test --filter` takes, and those that cannot be imported here: it takes a minute to load all
 * where the CPU is emulated.
 */
async function testsNamed(filter: string | undefined, files: readonly string[]): Promise<readonly string[]> {
  if (filter === undefined) return files;
  const list = join(ROOT, "scripts/vm/list_tests.ts");
  const args = ["run", "-A", "--no-check", list, ...files];
  const text = await command(Deno.execPath(), args, { cwd: ROOT, env: { DEBPF_VM: "1" } });
  const named: Record<string, string[]> = JSON.parse(text);
  const [, pattern] = /^\/(.*)\/$/.exec(filter) ?? [];
  const takes = (name: string) => pattern === undefined ? name.includes(filter) : new RegExp(pattern).test(name);
  return files.filter((file) => named[file]?.some(takes) ?? true);
}

function resultPath({ arch, name }: { readonly arch: string; readonly name: string }): string {
  return cached("results", `${arch}-${name}.json`);
}

/** Keeps a kernel's results; those of some files only, beside what others came to before. */
async function keep(result: KernelResult, whole: boolean): Promise<void> {
  await Deno.mkdir(cached("results"), { recursive: true });
  const known = whole ? undefined : await readResult(result);
  await Deno.writeTextFile(resultPath(result), JSON.stringify(withLater(known, result)));
}

async function readResult(kernel: { readonly arch: string; readonly name: string }): Promise<KernelResult | undefined> {
  const path = resultPath(kernel);
  return await exists(path) ? JSON.parse(await Deno.readTextFile(path)) : undefined;
}

function attachPath({ arch, name }: { readonly arch: string; readonly name: string }): string {
  return cached("attach", `${arch}-${name}.json`);
}

async function readAttach(kernel: Kernel): Promise<AttachResult | undefined> {
  const path = attachPath(kernel);
  return await exists(path) ? JSON.parse(await Deno.readTextFile(path)) : undefined;
}

/** Keeps what a run has shown of ways of attaching; of a run of some tests only, beside what was shown before. */
async function keepAttach(kernel: Kernel, release: string, report: string, all: boolean): Promise<void> {
  const shown = attachRows(report);
  if (shown.length === 0) return;
  const known = all ? [] : (await readAttach(kernel))?.rows ?? [];
  const { name, arch } = kernel;
  const day = new Date().toISOString().slice(0, 10);
  const result: AttachResult = { name, arch, release, day, rows: merged(known, shown) };
  await Deno.mkdir(cached("attach"), { recursive: true });
  await Deno.writeTextFile(attachPath(kernel), JSON.stringify(result));
}

/** Writes docs/attach.md once the usual kernels of this machine's kind have shown something here. */
async function writeAttachPage(): Promise<void> {
  const results: AttachResult[] = [];
  for (const kernel of usualKernels()) {
    const result = await readAttach(kernel);
    if (result !== undefined) results.push(result);
    else if (kernel.arch === "amd64") {
      return console.log(`docs/attach.md stays: ${title(kernel)} has shown nothing yet`);
    }
  }
  await writeDocs("docs/attach.md", attachPage(results));
}

/** Writes docs/kernels.md once every usual kernel has been tested here. */
async function writePage(): Promise<void> {
  const results: KernelResult[] = [];
  const files = await testFiles([]);
  for (const kernel of usualKernels()) {
    const result = await readResult(kernel);
    const missing = files.filter((file) => !result?.ran.includes(file));
    if (result === undefined || missing.length > 0) {
      const what = missing.length > 3 ? `${missing.length} files` : missing.join(", ");
      return console.log(`docs/kernels.md stays: ${title(kernel)} has not passed all yet: ${what}`);
    }
    results.push(result);
  }
  await writeDocs("docs/kernels.md", kernelsPage(results));
}

async function writeDocs(path: string, text: string): Promise<void> {
  const page = join(ROOT, path);
  await Deno.writeTextFile(page, text);
  await command(Deno.execPath(), ["fmt", "--quiet", page], { cwd: ROOT });
  console.log(`wrote ${path}`);
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    console.error(`vm: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}

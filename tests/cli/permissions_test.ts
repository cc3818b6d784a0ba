/**
 * The command line without rights: without --allow-ffi, and without the capabilities that BPF needs.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Finished, inRepository, needs, run, runCli } from "../support/mod.ts";
import { assertJsonError, assertSentence } from "./expect.ts";

const NOBTF = inRepository("testdata", "clang19", "nobtf.bpf.o");
const TRUTH = inRepository("testdata", "clang19", "truth.bpf.o");

Deno.test("debpf run without --allow-ffi says that it is needed", async () => {
  const message = /^debpf: eBPF needs --allow-ffi \(all of it, no list of files\): deno run --allow-ffi$/m;
  assertSentence(await runCli(["run"], { permissions: [] }), 1, message);
  assertSentence(await runCli(["run", TRUTH], { permissions: ["--allow-read"] }), 1, message);
  assertSentence(await runCli(["run", NOBTF], { permissions: ["--allow-read"] }), 1, message);
  // A list of files is not enough: what is mapped is read through pointers.
  assertSentence(await runCli(["run"], { permissions: ["--allow-ffi=libc.so.6"] }), 1, message);
  assertJsonError(await runCli(["run", "-j"], { permissions: [] }), 1, /--allow-ffi/);
});

Deno.test("debpf without any permission says which of two would do to read a file", async () => {
  for (const command of ["inspect", "disasm", "relocate", "run"]) {
    const finished = await runCli([command, TRUTH], { permissions: [] });
    assertSentence(finished, 1, /truth\.bpf\.o: reading it needs --allow-ffi or --allow-read$/m);
  }
});

Deno.test("debpf relocate without --allow-ffi needs BTF by --btf", async () => {
  const options = { permissions: ["--allow-read"] };
  assertSentence(
    await runCli(["relocate", TRUTH], options),
    1,
    /the running kernel's BTF needs --allow-ffi .*--btf FILE/,
  );
  const target = inRepository("testdata", "targets", "known_new.btf");
  const known = inRepository("testdata", "clang19", "core_known.bpf.o");
  const finished = await runCli(["relocate", known, "--btf", target, "-j"], options);
  assertEquals([finished.code, finished.stderr], [0, ""]);
});

Deno.test("debpf inspect, disasm and version need no FFI", async () => {
  const options = { permissions: ["--allow-read"] };
  for (const args of [["inspect", TRUTH], ["disasm", TRUTH, "core"], ["version"]]) {
    const finished = await runCli(args, options);
    assertEquals([finished.code, finished.stderr], [0, ""]);
  }
  assertStringIncludes((await runCli(["inspect", TRUTH], options)).stdout, "truth.rodata");
});

/**
 * Runs the command line without the right to use BPF: as nobody, who may have to be able to read this repository and
 * Deno; where that is not so, as root without capabilities.
 */
async function runUnprivileged(args: string[]): Promise<Finished> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.chmod(folder, 0o777);
    const deno = [Deno.execPath(), "run", "--no-prompt", "--allow-ffi", inRepository("cli.ts")];
    const env = { NO_COLOR: "1", HOME: folder, DENO_DIR: folder };
    const asNobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    const readable = await run("setpriv", [...asNobody, ...deno, "version"], { env });
    const rights = readable.code === 0 ? asNobody : ["--bounding-set=-all", "--inh-caps=-all"];
    return await run("setpriv", [...rights, ...deno, ...args], { env });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "debpf run without capabilities names them",
  ...needs({ bpf: true, btf: true, program: "setpriv" }),
  async fn() {
    const capabilities =
      "EPERM \\(operation not permitted\\): this process has no CAP_BPF and CAP_PERFMON: run as root";
    // The first thing that is refused is the BTF, or the first map of an object without.
    assertSentence(await runUnprivileged(["run"]), 1, new RegExp(`bpf\\(BPF_BTF_LOAD\\): ${capabilities}`));
    const refused = new RegExp(`bpf\\(BPF_MAP_CREATE, "nobtf\\.rodata"\\): ${capabilities}`);
    assertSentence(await runUnprivileged(["run", NOBTF]), 1, refused);
    assertJsonError(await runUnprivileged(["-j", "run"]), 1, /CAP_BPF/);
  },
});

Deno.test({
  name: "debpf relocate and inspect need no capabilities",
  ...needs({ root: true, ffi: true, btf: true, program: "setpriv" }),
  async fn() {
    for (const args of [["relocate", TRUTH, "-j"], ["inspect", TRUTH]]) {
      const finished = await runUnprivileged(args);
      assertEquals([finished.code, finished.stderr], [0, ""]);
      assertEquals(finished.stdout, (await runCli(args)).stdout);
    }
  },
});

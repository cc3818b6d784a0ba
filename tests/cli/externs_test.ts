/**
 * What an object asks of a kernel, at the command line: with FFI of the running one, without of what the user gives.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inRepository, needs, runCli } from "../support/mod.ts";
import { parseLines, type RelocateLine } from "../support/oracle.ts";

const READ_ONLY = { permissions: ["--allow-read"] } as const;

function object(name: string): string {
  return inRepository("testdata", "clang19", `${name}.bpf.o`);
}

async function relocate(...args: string[]): Promise<{ code: number; lines: readonly RelocateLine[] }> {
  const { code, stdout, stderr } = await runCli(["relocate", "-j", ...args], READ_ONLY);
  assertEquals(stderr, "");
  return { code, lines: parseLines(stdout) };
}

async function withText(text: string, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("debpf relocate without FFI names the fact that is not known, and shows no value of options", async () => {
  const { code, lines } = await relocate(object("extern_kconfig"));
  assertEquals(code, 1);
  const [failed] = lines.filter((line) => line.kind === "prog_error");
  assertMatch(
    failed!.error!,
    /^program "read" .*refers to extern "CONFIG_\w+", and the kernel's configuration is not known/,
  );
  const maps = lines.filter((line) => line.kind === "map").map(({ name }) => name);
  const data = lines.filter((line) => line.kind === "data").map(({ map }) => map);
  assertEquals([maps.includes("extern_.kconfig"), data.includes("extern_.kconfig")], [true, false]);
});

Deno.test("debpf relocate --kconfig gives options their values, without any kernel", async () => {
  await withText("# options\nCONFIG_IN_NO_KERNEL=0x1234\n", async (path) => {
    const { code, lines } = await relocate(object("extern_option"), "--kconfig", path);
    assertEquals(code, 0);
    assertEquals(lines.filter((line) => line.kind === "data").map(({ map, value }) => [map, value]), [
      ["extern_.kconfig", "34120000"],
    ]);
  });
  await withText("CONFIG_IN_NO_KERNEL=y\n", async (path) => {
    const { code, lines } = await relocate(object("extern_option"), "--kconfig", path);
    assertEquals(code, 1);
    const [failed] = lines.filter((line) => line.kind === "prog_error");
    assertMatch(failed!.error!, /^extern "CONFIG_IN_NO_KERNEL": the given configuration, line 1: the value is y, /);
  });
});

Deno.test({
  name: "debpf run --kconfig gives options their values",
  ...needs({ bpf: true, btf: true }),
  async fn() {
    await withText("CONFIG_IN_NO_KERNEL=1\n", async (path) => {
      const { code, stderr } = await runCli(["run", object("extern_option"), "--kconfig", path, "--dry-run"]);
      assertEquals([code, stderr], [0, 'loaded: "read"\n']);
    });
  },
});

Deno.test({
  name: "debpf inspect tells what externs are in the running kernel, if it may ask",
  ...needs({ ffi: true, btf: true, root: true }),
  async fn() {
    interface Extern {
      readonly name: string;
      readonly resolved?: string;
    }
    const externs = async (permission: string) => {
      const { stdout } = await runCli(["inspect", "-j", object("extern_kfuncs")], { permissions: [permission] });
      const { externs } = JSON.parse(stdout) as { externs: Extern[] };
      return new Map(externs.map(({ name, resolved }) => [name, resolved]));
    };
    const asked = await externs("--allow-ffi");
    assertEquals([asked.get("bpf_in_no_kernel"), asked.get("in_no_kernel")], ["missing", "missing"]);
    assertMatch(asked.get("runqueues")!, /^vmlinux \[\d+\]$/);
    assertMatch(asked.get("schedule")!, /^0x[0-9a-f]+$/);
    const unasked = await externs("--allow-read");
    assertEquals([...unasked.keys()], [...asked.keys()]);
    assertEquals(new Set(unasked.values()), new Set([undefined]));
    const { stdout } = await runCli(["inspect", object("extern_strong")]);
    assertStringIncludes(stdout, 'error: extern function "bpf_in_no_kernel": neither the kernel nor a module');
  },
});

/**
 * Where output goes: whole to a pipe, however slow its reader; quietly to an end when the reader is gone.
 */
import { assert, assertEquals } from "@std/assert";
import { inRepository, needs, run, runCli } from "../support/mod.ts";

const TRUTH = inRepository("testdata", "clang19", "truth.bpf.o");

/** A shell's words: the command line in a pipe, its exit code and stderr behind a mark. */
function shell(args: string[], permissions: string, behind: string): Promise<{ stdout: string; stderr: string }> {
  const words = [Deno.execPath(), "run", "--no-prompt", permissions, inRepository("cli.ts"), ...args];
  const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  return run("sh", ["-c", `{ ${quoted}; echo "code $?" >&2; } | ${behind}`], { env: { NO_COLOR: "1" } });
}

Deno.test("debpf ends quietly when its reader takes one line only", async () => {
  for (const args of [["inspect", "-j", TRUTH], ["inspect", TRUTH], ["disasm", "--source", TRUTH]]) {
    const { stdout, stderr } = await shell(args, "--allow-read", "head -n 1");
    assertEquals(stdout.split("\n").length, 2);
    assertEquals(stderr, "code 0\n");
  }
});

Deno.test("debpf ends quietly when its reader takes nothing", async () => {
  const { stderr } = await shell(["disasm", TRUTH], "--allow-read", "true");
  assertEquals(stderr, "code 0\n");
  const failed = await shell(["-j", "inspect", `${TRUTH}.none`], "--allow-read", "true");
  assertEquals(failed.stderr, "code 1\n");
});

Deno.test("debpf writes all of its output to a pipe whose reader is slow", async () => {
  const args = ["disasm", "-p", TRUTH];
  const whole = await runCli(args, { permissions: ["--allow-read"] });
  // A pipe holds 64 KiB: less, and the writer would never have to wait.
  assert(whole.stdout.length > 1 << 16);
  const large = await shell(args, "--allow-read", "{ sleep 0.2; cat; }");
  assertEquals(large.stderr, "code 0\n");
  assertEquals(large.stdout, whole.stdout);
});

Deno.test({
  name: "debpf run ends quietly when its reader is gone",
  ...needs({ bpf: true, btf: true, tracefs: true }),
  async fn() {
    // Events come from the processes that this test starts.
    const busy = new Deno.Command("sh", { args: ["-c", "while :; do /bin/true; done"], stdout: "null" }).spawn();
    try {
      const { stdout, stderr } = await shell(["run", "-j", "--duration", "20"], "--allow-ffi", "head -n 2");
      const lines = stdout.trimEnd().split("\n");
      assertEquals(lines.length, 2);
      for (const line of lines) assert("event" in JSON.parse(line), line);
      assertEquals(stderr, "code 0\n");
    } finally {
      busy.kill("SIGKILL");
      await busy.status;
    }
  },
});

import { assertEquals, assertStringIncludes } from "@std/assert";
import { calls, Errno, ffiAvailable } from "../../../ffi/sys/mod.ts";
import { inRepository, needs, run } from "../../support/mod.ts";

const MAP_PRIVATE_ANONYMOUS = 0x22;
const DOOR = `file://${inRepository("ffi", "sys", "mod.ts")}`;

/** Runs a module text with the given permissions. */
function evaluate(code: string, permissions: string[] = []) {
  const url = `data:application/typescript,${encodeURIComponent(code)}`;
  return run(Deno.execPath(), ["run", "--no-prompt", "--no-check", ...permissions, url], { env: { NO_COLOR: "1" } });
}

Deno.test("ffi/sys opens nothing on import, and says without --allow-ffi that it is needed", async () => {
  const { code, stdout, stderr } = await evaluate(
    `
    const sys = await import(${JSON.stringify(DOOR)});
    console.log(sys.ffiAvailable());
    try { sys.getpid(); } catch (error) { console.log(error.name, error.feature, error.message); }
  `,
    ["--allow-import", "--allow-read"],
  );
  assertEquals([code, stderr], [0, ""]);
  const [available, message] = stdout.split("\n");
  assertEquals(available, "false");
  if (Deno.build.os === "linux") {
    assertEquals(
      message,
      "UnsupportedError --allow-ffi eBPF needs --allow-ffi (all of it, no list of files): deno run --allow-ffi",
    );
  } else {
    assertStringIncludes(message!, "eBPF needs Linux");
  }
});

Deno.test({
  name: "ffiAvailable() is true here",
  ...needs({ ffi: true }),
  fn() {
    assertEquals(ffiAvailable(), true);
  },
});

Deno.test({
  name: "calls read errno of the call that failed, call after call",
  ...needs({ ffi: true }),
  fn() {
    const missing = new TextEncoder().encode("/nonexistent/x\0");
    for (let round = 0; round < 2000; round++) {
      assertEquals(calls.close(987654), -Errno.EBADF);
      assertEquals(calls.access(missing, 0), -Errno.ENOENT);
      assertEquals(calls.lseek(-1, 0, 0), -Errno.EBADF);
      assertEquals(calls.mmap(0, 1, MAP_PRIVATE_ANONYMOUS, -1, 0), -Errno.EINVAL);
    }
  },
});

Deno.test({
  name: "errno of another thread is its own",
  ...needs({ ffi: true }),
  async fn() {
    // A process of its own, since the test runner would check the types of the worker's modules for many seconds.
    const program = inRepository("tests", "ffi", "sys", "errno_threads.ts");
    const { stdout, stderr } = await run(Deno.execPath(), ["run", "--no-check", "-A", program]);
    assertEquals([stderr, stdout], ["", "main: 0 wrong\nworker: 0 wrong\n"]);
  },
});

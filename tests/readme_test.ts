/**
 * README is true: its library example is the one in examples/, and runs with the permission that it promises.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inRepository, needs } from "./support/mod.ts";

const README = Deno.readTextFileSync(inRepository("README.md"));
const EXAMPLE = Deno.readTextFileSync(inRepository("examples", "execsnoop", "execsnoop.ts"));

Deno.test("README's library example is examples/execsnoop/execsnoop.ts", () => {
  const shown = /```ts\n([\s\S]*?)```/.exec(README)?.[1] ?? "";
  const body = (text: string) => text.slice(text.indexOf("const spec"));
  assertEquals(body(shown), body(EXAMPLE));
  assertStringIncludes(shown, 'import { Collection, openCollectionSpec } from "jsr:@debpf/debpf";');
});

Deno.test("README names every task of deno.json, and no other", () => {
  const tasks = Object.keys(JSON.parse(Deno.readTextFileSync(inRepository("deno.json"))).tasks);
  const named = [...README.matchAll(/`deno task (\w+)[^`]*`/g)].map((match) => match[1]);
  assertEquals([...new Set(named)].sort(), tasks.sort());
});

Deno.test({
  name: "README's library example prints a line for a program that starts, with --allow-ffi and nothing else",
  ...needs({ bpf: true, btf: true, program: "true" }),
  fn: async () => {
    // As the example, for the user that the test runs as.
    const script = EXAMPLE.replace('"../../mod.ts"', JSON.stringify(new URL("../mod.ts", import.meta.url).href))
      .replace('"execsnoop.bpf.o"', JSON.stringify(inRepository("examples", "execsnoop", "execsnoop.bpf.o")))
      .replace("set(1000)", `set(${Deno.uid()})`);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-ffi", "--allow-import", "-"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      cwd: inRepository("."),
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script));
    await writer.close();
    const starts = setInterval(() => new Deno.Command("true", { stdout: "null" }).spawn(), 50);
    try {
      const { value } = await child.stdout.getReader().read();
      assert(/^\d+ \S+ \S+/.test(new TextDecoder().decode(value)));
    } finally {
      clearInterval(starts);
      child.kill("SIGKILL");
      await child.status;
      await child.stderr.cancel();
    }
  },
});

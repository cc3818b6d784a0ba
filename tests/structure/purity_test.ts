import { assertEquals } from "@std/assert";
import { ROOT, run } from "../support/mod.ts";
import { codeThatMatches, sourcesIn } from "./sources.ts";

Deno.test("lib/ names nothing of Deno, Node or the global object", () => {
  const pattern = /\bDeno\.|\bglobalThis\b|["']node:|\bconsole\./;
  assertEquals(codeThatMatches(sourcesIn("lib"), pattern), []);
});

Deno.test("lib/ type-checks without Deno's types", async () => {
  const { code, stderr } = await run(Deno.execPath(), ["check", "--quiet", "--config", "pure.json", "lib/"], {
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

Deno.test("only ffi/ opens libraries", () => {
  assertEquals(codeThatMatches(sourcesIn("mod.ts", "cli.ts", "lib", "cli"), /\bDeno\.(dlopen|Unsafe)/), []);
});

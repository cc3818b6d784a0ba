import { assertEquals } from "@std/assert";
import { linesThatMatch, sourcesIn } from "./sources.ts";

const ALL = ["mod.ts", "cli.ts", "lib", "ffi", "cli", "std", "scripts", "tests", "examples"];
const LONGEST = 600;

Deno.test("no file is longer than 600 lines, but generated ones", () => {
  const long = sourcesIn(...ALL).filter(({ path, text }) =>
    !path.startsWith("lib/uapi/") && text.split("\n").length - 1 > LONGEST
  );
  assertEquals(long.map(({ path }) => path), []);
});

Deno.test("no check is turned off", () => {
  const pattern = new RegExp(
    ["deno-lint" + "-ignore", "@ts" + "-ignore", "@ts" + "-expect-error", "\\bas " + "any\\b"].join("|"),
  );
  assertEquals(linesThatMatch(sourcesIn(...ALL), pattern), []);
});

Deno.test("every module says first what it is for", () => {
  const silent = sourcesIn("mod.ts", "cli.ts", "lib", "ffi", "cli", "std", "scripts").filter(({ text }) =>
    !/^(#!.*\n)?\/\*\*[\s\S]*?@module\b[\s\S]*?\*\//.test(text)
  );
  assertEquals(silent.map(({ path }) => path), []);
});

import { assertEquals } from "@std/assert";
import { parseArgs, type ParseOptions } from "@std/cli/parse-args";

/** Results as a plain object. */
function parse(args: string[], options: ParseOptions = {}): unknown {
  return { ...parseArgs(args, options) };
}

Deno.test("parseArgs() turns what looks numeric into numbers", () => {
  assertEquals(parse(["01", "0x10", "1e3", "1a"]), { _: [1, 16, 1000, "1a"] });
  assertEquals(parse(["--id", "07"]), { _: [], id: 7 });
  assertEquals(parse(["01", "--id", "07"], { string: ["_", "id"] }), { _: ["01"], id: "07" });
});

Deno.test("parseArgs() takes a negative number as a flag", () => {
  assertEquals(parse(["-1", "x"]), { _: [], "1": "x" });
});

Deno.test("parseArgs() reads values behind an equal sign and behind a space", () => {
  assertEquals(parse(["--a=b=c", "--d", "e", "--f"]), { _: [], a: "b=c", d: "e", f: true });
  assertEquals(parse(["--s", "--t="], { string: "s" }), { _: [], s: "", "t=": true });
});

Deno.test("parseArgs() gives booleans no value", () => {
  assertEquals(parse(["--v", "file"], { boolean: ["v", "w"] }), { _: ["file"], v: true, w: false });
  assertEquals(parse(["--v", "false", "--w=false"], { boolean: ["v", "w"] }), { _: [], v: false, w: false });
  assertEquals(parse(["--v", "file"], { boolean: true }), { _: ["file"], v: true });
});

Deno.test("parseArgs() reads groups of letters", () => {
  assertEquals(parse(["-abc", "d"]), { _: [], a: true, b: true, c: "d" });
  assertEquals(parse(["-n5", "-o=x", "-p/x"]), { _: [], n: 5, o: "x", p: "/x" });
  assertEquals(parse(["-"]), { _: ["-"] });
});

Deno.test("parseArgs() collects, negates, aliases and has defaults", () => {
  assertEquals(parse(["--s=1", "--s", "2"], { collect: ["s"], string: ["s"] }), { _: [], s: ["1", "2"] });
  assertEquals(parse([], { collect: ["s"], string: ["s"] }), { _: [], s: [] });
  assertEquals(parse(["--no-c", "--no-d"], { negatable: ["c"] }), { _: [], c: false, "no-d": true });
  assertEquals(parse(["-h"], { alias: { help: "h" } }), { _: [], h: true, help: true });
  assertEquals(parse(["--a=1"], { default: { a: 5, b: 6 } }), { _: [], a: 1, b: 6 });
  assertEquals(parse(["--a.b=1"]), { _: [], a: { b: 1 } });
});

Deno.test("parseArgs() stops where it is told to", () => {
  assertEquals(parse(["-v", "run", "-x"], { stopEarly: true, boolean: ["v"] }), { _: ["run", "-x"], v: true });
  assertEquals(parse(["a", "--", "--b"]), { _: ["a", "--b"] });
  assertEquals(parse(["a", "--", "--b"], { "--": true }), { _: ["a"], "--": ["--b"] });
});

Deno.test("parseArgs() asks about what it does not know", () => {
  const asked: unknown[] = [];
  const unknown = (...args: unknown[]) => asked.push(args) < 0;
  assertEquals(parse(["--x=1", "p", "--y"], { unknown, boolean: ["y"] }), { _: [], y: true });
  assertEquals(asked, [["--x=1", "x", "1"], ["p"]]);
});

import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { wrongArrow } from "./arrows.ts";
import { arrowsFrom, loadedBy } from "./module_graph.ts";
import { codeThatMatches, linesThatMatch, sourcesIn } from "./sources.ts";

const SHIPPED = ["mod.ts", "cli.ts", "lib", "ffi", "cli"];

Deno.test("imports go from cli to ffi to lib, downwards inside lib, and through doors", async () => {
  const arrows = await arrowsFrom(sourcesIn(...SHIPPED).map(({ path }) => path));
  assertGreater(arrows.length, 100, "the module graph looks empty");
  assertEquals(arrows.flatMap(({ from, to }) => wrongArrow(from, to) ?? []), []);
});

Deno.test("dynamic imports have literal specifiers", () => {
  // A package that one option needs is not to be fetched by all commands.
  const known = (place: string) => place.startsWith("cli/disasm/lay_out.ts");
  const found = codeThatMatches(sourcesIn(...SHIPPED), /\bimport\((?!"[^"]+"[),])/);
  assertEquals(found.filter((place) => !known(place)), []);
});

Deno.test("cli.ts loads each command only when it is asked for", async () => {
  const eager = linesThatMatch(sourcesIn("cli.ts"), /^(import|export) (?!type\b).*from "\.\/(lib|ffi)\//);
  assertEquals(eager, []);
  const commands = (await arrowsFrom(["cli.ts"])).filter(({ to }) => to.startsWith("cli/"));
  assertGreater(commands.length, 1);
});

Deno.test("what lists the kernel's objects loads neither linker, CO-RE, the reader of objects, nor the dump of types", async () => {
  // Each module costs a command a tenth of a millisecond before it does anything.
  const heavy =
    /^lib\/(linker|core|spec)\/(?!.*\b(markers|poison|keys)\/)|^lib\/(btf\/(dump|dedup|questions)|asm\/(text|flow|build))\//;
  for (const command of ["cli/link/mod.ts", "cli/map/show.ts", "cli/prog/show.ts"]) {
    const loaded = await loadedBy(command);
    assertGreater(loaded.length, 20);
    assertEquals(loaded.filter((path) => heavy.test(path)), [], command);
  }
});

Deno.test("wrongArrow() allows what the layout allows", () => {
  const right: [string, string][] = [
    ["lib/elf/mod.ts", "lib/elf/section.ts"],
    ["lib/elf/section.ts", "lib/bytes.ts"],
    ["lib/bytes.ts", "lib/errors.ts"],
    ["lib/btf/value/codec.ts", "lib/btf/types.ts"],
    ["lib/linker/link.ts", "lib/spec/mod.ts"],
    ["lib/spec/needs/needs.ts", "lib/asm/flow/mod.ts"],
    ["ffi/map/map.ts", "ffi/sys/mod.ts"],
    ["ffi/info/kconfig.ts", "node:zlib"],
    ["cli/run/run.ts", "ffi/events/mod.ts"],
    ["cli/args.ts", "std/cli/parse_args.ts"],
    ["cli/version.ts", "deno.json"],
    ["cli.ts", "cli/run/run.ts"],
    ["mod.ts", "lib/btf/mod.ts"],
  ];
  for (const [from, to] of right) assertEquals(wrongArrow(from, to), undefined);
});

Deno.test("wrongArrow() names what is wrong", () => {
  const wrong: [string, string, string][] = [
    ["lib/asm/print.ts", "lib/btf/mod.ts", "upwards"],
    ["lib/asm/print.ts", "lib/elf/mod.ts", "upwards"],
    ["lib/bytes.ts", "lib/elf/mod.ts", "upwards"],
    ["lib/core/relocate.ts", "lib/btf/types.ts", "past the door of lib/btf"],
    ["lib/core/relocate.ts", "ffi/sys/mod.ts", "lib may not import that"],
    ["lib/core/relocate.ts", "node:zlib", "not from outside"],
    ["lib/new/thing.ts", "lib/btf/mod.ts", "a room that has no place yet"],
    ["ffi/map/map.ts", "cli/output.ts", "ffi may not import that"],
    ["ffi/map/map.ts", "lib/btf/types.ts", "past the door"],
    ["ffi/map/map.ts", "ffi/sys/errno.ts", "past the door"],
    ["ffi/map/map.ts", "node:fs", "not from outside"],
    ["ffi/map/map.ts", "std/path/mod.ts", "not from outside"],
    ["cli/run/run.ts", "mod.ts", "cli may not import that"],
    ["cli/run/run.ts", "cli.ts", "cli may not import that"],
    ["cli/run/run.ts", "tests/support/mod.ts", "not from outside"],
    ["cli/run/run.ts", "std/assert/mod.ts", "not from outside"],
    ["mod.ts", "cli/run/run.ts", "mod may not import that"],
    ["mod.ts", "lib/btf/read.ts", "past the door"],
  ];
  for (const [from, to, why] of wrong) assertStringIncludes(wrongArrow(from, to) ?? "nothing", why);
});

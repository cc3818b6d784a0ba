/**
 * Wrong usage of the command line: one sentence that names the word, exit code 2; and its help.
 */
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { UsageError } from "../../cli/command.ts";
import { readArgs } from "../../cli/args.ts";
import { inRepository, runCli } from "../support/mod.ts";
import { assertJsonError, assertSentence } from "./expect.ts";

const OBJECT = inRepository("testdata", "clang19", "events.bpf.o");
/** Nothing but reading: wrong usage is found before anything is asked of the kernel. */
const READ_ONLY = { permissions: ["--allow-read"] } as const;

const CASES: [args: string[], message: RegExp][] = [
  [[], /no command; these are known: run, .*\(see: debpf help\)$/m],
  [["jump"], /unknown command "jump"; these are known: run, /],
  [["toString"], /unknown command "toString"/],
  [["help", "jump"], /unknown command "jump"/],
  [["inspect"], /OBJECT is missing \(see: debpf help inspect\)$/m],
  [["inspect", ""], /an empty file name/],
  [["inspect", OBJECT, "more"], /unexpected argument "more"/],
  [["version", "1"], /unexpected argument "1"/],
  [["inspect", OBJECT, "--colour"], /unknown option --colour/],
  [["inspect", OBJECT, "-x"], /unknown option -x/],
  [["relocate", OBJECT, "--btf"], /--btf needs a value/],
  [["run", OBJECT, "--count", "x"], /--count: "x" is not a number above 0/],
  [["run", OBJECT, "--count", "0"], /--count: "0" is not a number above 0/],
  [["run", OBJECT, "--count", "1.5"], /--count takes a whole number/],
  [["run", OBJECT, "--count", "1", "--count", "2"], /--count may be given only once/],
  [["run", OBJECT, "--count="], /--count needs a value/],
  [["run", OBJECT, "--duration", "-1"], /--duration needs a value; .*write --duration=-1/],
  [["run", OBJECT, "--duration=-1"], /--duration: "-1" is not a number above 0/],
  [["run", OBJECT, "--program", "none*"], /--program none\*: no program of that name; the object has "emit_/],
  [["run", OBJECT, "--set", "x"], /--set takes VAR=VALUE, not "x"/],
  [["run", OBJECT, "--set", "none=1"], /--set none=1: no variable of that name; the object has "/],
  [["run", OBJECT, "--event", "tagged"], /--event takes MAP=STRUCT, not "tagged"/],
  [["run", OBJECT, "--event", "none=event"], /--event none=event: no map "none"; the object has tagged, /],
  [["run", OBJECT, "--format", "pid=roman"], /--format takes FIELD=KIND with KIND one of .*not "pid=roman"/],
];

for (const [args, message] of CASES) {
  const words = args.map((word) => word === OBJECT ? "OBJECT" : `"${word}"`).join(" ");
  Deno.test(`debpf ${words} is wrong usage`, async () => {
    assertSentence(await runCli(args, READ_ONLY), 2, message);
  });
}

Deno.test("debpf -j prints wrong usage as JSON", async () => {
  assertJsonError(await runCli(["run", "--count", "x", "-j"], READ_ONLY), 2, /--count: "x" is not a number above 0/);
});

Deno.test("debpf help lists all commands and global options", async () => {
  const help = await runCli(["help"], { permissions: [] });
  assertEquals([help.code, help.stderr], [0, ""]);
  for (const word of ["run", "inspect", "disasm", "relocate", "version"]) {
    assertMatch(help.stdout, new RegExp(`^  ${word} +\\S`, "m"));
  }
  for (const option of ["--json", "--pretty", "--verbose", "--help"]) assertStringIncludes(help.stdout, option);
  assertEquals(await runCli(["--help"], { permissions: [] }), help);
});

Deno.test("debpf help COMMAND and COMMAND --help print its usage, without any permission", async () => {
  for (const [word, option] of [["run", "--duration"], ["relocate", "--btf"], ["disasm", "--source"]] as const) {
    const help = await runCli(["help", word], { permissions: [] });
    assertEquals([help.code, help.stderr], [0, ""]);
    assertMatch(help.stdout, new RegExp(`^usage: debpf ${word} `));
    assertStringIncludes(help.stdout, option);
    assertEquals(await runCli([word, "--help"], { permissions: [] }), help);
  }
});

Deno.test("readArgs() takes words behind -- for arguments", () => {
  const { positional } = readArgs(["--", "--odd-name", "-"], { positional: ["OBJECT", "[PROGRAM]"] });
  assertEquals(positional, ["--odd-name", "-"]);
});

Deno.test("readArgs() keeps words that look like numbers as they are", () => {
  const args = readArgs(["0x10", "--set", "01", "--set=1e3"], { collect: ["set"], positional: ["OBJECT"] });
  assertEquals([args.positional, args.collected("set")], [["0x10"], ["01", "1e3"]]);
});

Deno.test("readArgs() refuses an option whose value is the next option", () => {
  const shape = { string: ["count"], boolean: ["dry-run"], positional: [] };
  assertThrows(() => readArgs(["--count", "--dry-run"], shape), UsageError, "--count needs a value");
  assertThrows(() => readArgs(["--count", "--", "3"], shape), UsageError, "--count needs a value");
});

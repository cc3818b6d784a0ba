import { assertEquals, assertStringIncludes } from "@std/assert";
import { casesOf, type KernelResult, parseReport, skipReasons, withLater } from "../../scripts/vm/results.ts";
import { shownElsewhere } from "../../scripts/vm/shown.ts";
import { kernelsPage } from "../../scripts/vm/table.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="0" time="1.2">
    <testsuite name="./tests/kernel/a_test.ts" tests="4" disabled="0" errors="0" failures="1">
        <testcase name="one" classname="./tests/kernel/a_test.ts" time="0.1" line="2" col="6">
        </testcase>
        <testcase name="two &lt;failure" classname="./tests/kernel/a_test.ts" time="0.1" line="9" col="6">
            <failure message="Uncaught Error: no
">Error: a &lt;skipped/&gt; b</failure>
        </testcase>
        <testcase name="three" classname="./tests/kernel/a_test.ts" time="0.0" line="12" col="6">
            <skipped/>
        </testcase>
        <testcase name="four" classname="./tests/kernel/a_test.ts" time="0.0" line="12" col="6"/>
    </testsuite>
    <testsuite name="./tests/ffi/b_test.ts" tests="1" disabled="0" errors="0" failures="0">
        <testcase name="five" classname="./tests/ffi/b_test.ts" time="0.1" line="2" col="6">
        </testcase>
    </testsuite>
</testsuites>`;

const REASONS = skipReasons([
  "running 4 tests from ./tests/kernel/a_test.ts",
  "tests/kernel/a_test.ts: skipping tests that need magic (Linux 9.1)",
  "tests/kernel/a_test.ts: skipping tests that need magic (Linux 9.1)",
  "tests/ffi/b_test.ts: skipping tests that need what nobody asked for",
]);

Deno.test("parseReport() counts by file, and gives reasons where something was skipped", () => {
  assertEquals(parseReport(REPORT, REASONS), [
    { file: "tests/kernel/a_test.ts", passed: 2, failed: 1, skipped: 1, reasons: ["magic (Linux 9.1)"] },
    { file: "tests/ffi/b_test.ts", passed: 1, failed: 0, skipped: 0, reasons: [] },
  ]);
});

Deno.test("casesOf() gives names and files as they are written in the tests", () => {
  assertEquals(casesOf(REPORT)[1], { file: "tests/kernel/a_test.ts", name: "two <failure", outcome: "failed" });
});

Deno.test("shownElsewhere() asks of each test that was skipped here whether a virtual machine passed it", () => {
  const test = (name: string, outcome: "passed" | "failed" | "skipped") => ({ file: "a_test.ts", name, outcome });
  const here = ["one", "two", "three", "four"].map((name) => test(name, "skipped"));
  const vms = [test("one", "skipped"), test("one", "passed"), test("two", "skipped"), test("three", "failed")];
  const { passed, newer, missing } = shownElsewhere([...here, test("five", "passed")], vms);
  assertEquals([passed, newer, missing].map((all) => all.map(({ name }) => name)), [["one"], ["two"], [
    "three",
    "four",
  ]]);
});

Deno.test("parseReport() of nothing is nothing", () => {
  assertEquals(parseReport("", new Map()), []);
});

Deno.test("kernelsPage() has a row for each file, a column for each kernel, and the reasons below", () => {
  const files = parseReport(REPORT, REASONS);
  const page = kernelsPage([
    { name: "5.10", arch: "amd64", release: "5.10.0-1", day: "2030-01-31", ran: [], files },
    { name: "6.12", arch: "arm64", release: "6.12.1", day: "2030-01-31", ran: [], files: files.slice(1) },
  ]);
  assertStringIncludes(page, "| Tests | 5.10 amd64 | 6.12 arm64 |");
  assertStringIncludes(page, "| `tests/kernel/a_test.ts` | 2, 1 failed, 1 skipped (1) | - |");
  assertStringIncludes(page, "| `tests/ffi/b_test.ts` | 1 | 1 |");
  assertStringIncludes(page, "| All | 3, 1 failed, 1 skipped | 1 |");
  assertStringIncludes(page, "1. needs magic (Linux 9.1)");
  assertStringIncludes(page, "- 5.10 amd64: Debian's 5.10.0-1, 2030-01-31");
});

Deno.test("withLater() has a later run's results in place of earlier ones of the same files", () => {
  const count = { failed: 0, skipped: 0, reasons: [] };
  const kernel = { name: "5.10", arch: "amd64", release: "5.10.0-1" };
  const first: KernelResult = {
    ...kernel,
    day: "2030-01-30",
    ran: ["a_test.ts", "b_test.ts"],
    files: [{ file: "a_test.ts", passed: 1, ...count }, { file: "b_test.ts", passed: 2, ...count }],
  };
  const later: KernelResult = {
    ...kernel,
    day: "2030-01-31",
    ran: ["b_test.ts", "c_test.ts"],
    files: [{ file: "c_test.ts", passed: 3, ...count }],
  };
  assertEquals(withLater(undefined, later), later);
  assertEquals(withLater(first, later), {
    ...kernel,
    day: "2030-01-31",
    ran: ["a_test.ts", "b_test.ts", "c_test.ts"],
    files: [{ file: "a_test.ts", passed: 1, ...count }, { file: "c_test.ts", passed: 3, ...count }],
  });
});

import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseReport, skipReasons } from "../../scripts/vm/results.ts";
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

Deno.test("parseReport() of nothing is nothing", () => {
  assertEquals(parseReport("", new Map()), []);
});

Deno.test("kernelsPage() has a row for each file, a column for each kernel, and the reasons below", () => {
  const files = parseReport(REPORT, REASONS);
  const page = kernelsPage([
    { name: "5.10", arch: "amd64", release: "5.10.0-1", day: "2030-01-31", files },
    { name: "6.12", arch: "arm64", release: "6.12.1", day: "2030-01-31", files: files.slice(1) },
  ]);
  assertStringIncludes(page, "| Tests | 5.10 amd64 | 6.12 arm64 |");
  assertStringIncludes(page, "| `tests/kernel/a_test.ts` | 2, 1 failed, 1 skipped (1) | - |");
  assertStringIncludes(page, "| `tests/ffi/b_test.ts` | 1 | 1 |");
  assertStringIncludes(page, "| All | 3, 1 failed, 1 skipped | 1 |");
  assertStringIncludes(page, "1. needs magic (Linux 9.1)");
  assertStringIncludes(page, "- 5.10 amd64: Debian's 5.10.0-1, 2030-01-31");
});

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { attachPage, attachRows, merged } from "../../scripts/vm/attach_rows.ts";

const REPORT = `<testsuites><testsuite name="./tests/kernel/a_test.ts">
<testcase name="attach kprobe/FUNCTION: sees &quot;it&quot; (clang14)" classname="./tests/kernel/a_test.ts" time="1" line="1">
</testcase>
<testcase name="attach kprobe/FUNCTION: sees it (clang19)" classname="./tests/kernel/a_test.ts"><failure message="x: y"/></testcase>
<testcase name="attach fentry/FUNCTION: sees it" classname="./tests/kernel/b_test.ts"><skipped/></testcase>
<testcase name="attach iter/&lt;KIND&gt;: walks" classname="./tests/kernel/b_test.ts"><skipped/></testcase>
<testcase name="attach iter/&lt;KIND&gt;: walks on" classname="./tests/kernel/b_test.ts"/>
<testcase name="nothing stays of attach x: y" classname="./tests/kernel/b_test.ts"/>
</testsuite></testsuites>`;

Deno.test("attachRows() takes tests by their names: one that failed counts, then one that passed", () => {
  assertEquals(attachRows(REPORT), [
    { how: "kprobe/FUNCTION", file: "tests/kernel/a_test.ts", outcome: "failed" },
    { how: "fentry/FUNCTION", file: "tests/kernel/b_test.ts", outcome: "skipped" },
    { how: "iter/<KIND>", file: "tests/kernel/b_test.ts", outcome: "passed" },
  ]);
});

Deno.test("merged() keeps what a later run did not show again", () => {
  const known = attachRows(REPORT);
  const again = [{ how: "kprobe/FUNCTION", file: "tests/kernel/a_test.ts", outcome: "passed" }] as const;
  assertEquals(merged(known, again).map(({ how, outcome }) => [how, outcome]), [
    ["fentry/FUNCTION", "skipped"],
    ["iter/<KIND>", "passed"],
    ["kprobe/FUNCTION", "passed"],
  ]);
});

Deno.test("attachPage() has a row for each way, and a column for each kernel", () => {
  const common = { release: "6.12.1", day: "2030-01-31" };
  const page = attachPage([
    { name: "6.1", arch: "amd64", ...common, rows: [] },
    { name: "6.12", arch: "amd64", ...common, rows: attachRows(REPORT) },
  ]);
  assertMatch(page, /\| Way \| 6\.1 amd64 \| 6\.12 amd64 \| Tests \|/);
  assertStringIncludes(page, "| `fentry/FUNCTION` |  | - | `tests/kernel/b_test.ts` |");
});

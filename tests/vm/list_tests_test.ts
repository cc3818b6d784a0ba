import { assertEquals } from "@std/assert";
import { inRepository, run } from "../support/mod.ts";

Deno.test("list_tests.ts gives the names of a file's tests, and no names of a file that cannot be imported", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [good, bad] = ["good_test.ts", "bad_test.ts"].map((name) => `${folder}/${name}`) as [string, string];
    await Deno.writeTextFile(
      good,
      `console.log("not for us");
Deno.test("one", () => {});
Deno.test({ name: "two", fn() {} });
Deno.test.ignore("three", () => {});
Deno.test("four", { ignore: true }, () => {});
Deno.test(function five() {});`,
    );
    await Deno.writeTextFile(bad, `import { missing } from "./good_test.ts"; missing();`);
    const { code, stdout } = await run(Deno.execPath(), [
      ...["run", "-A", "--no-check", "--config", inRepository("deno.json"), inRepository("scripts/vm/list_tests.ts")],
      ...[good, bad],
    ]);
    assertEquals([code, JSON.parse(stdout)], [0, { [good]: ["one", "two", "three", "four", "five"] }]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

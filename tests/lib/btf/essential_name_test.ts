import { assertEquals } from "@std/assert";
import { essentialName, isEssentially } from "../../../lib/btf/essential_name.ts";

const CASES: Record<string, string> = {
  "task_struct": "task_struct",
  "task_struct___old": "task_struct",
  "task_struct___v6___old": "task_struct___v6",
  "a____b": "a____b",
  "a___b____c": "a",
  "___x": "___x",
  "x___": "x___",
  "a___": "a___",
  "a___b": "a",
  "a__b": "a__b",
  "_a___b": "_a",
  "____x": "____x",
  "": "",
};

Deno.test("essentialName() cuts the last run of exactly three underscores between two other characters", () => {
  for (const [name, essential] of Object.entries(CASES)) assertEquals(essentialName(name), essential, name);
});

Deno.test("isEssentially() agrees with essentialName() on bytes", () => {
  const utf8 = new TextEncoder();
  for (const name of Object.keys(CASES)) {
    const bytes = utf8.encode(`x\0${name}\0y`);
    for (const wanted of [...Object.keys(CASES), ...Object.values(CASES)]) {
      if (wanted === "") continue;
      assertEquals(isEssentially(bytes, 2, utf8.encode(wanted)), essentialName(name) === wanted, `${name} ${wanted}`);
    }
  }
});

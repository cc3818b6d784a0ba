import { assertArrayIncludes, assertEquals, assertGreater } from "@std/assert";
import { Btf } from "../../../lib/btf/mod.ts";
import * as uapi from "../../../lib/uapi/mod.ts";
import { needs } from "../../support/mod.ts";

/** Every enumerator of the running kernel, with each value that one of its enums gives it. */
function kernelValues(): Map<string, number[]> {
  const btf = Btf.parse(Deno.readFileSync("/sys/kernel/btf/vmlinux"));
  const values = new Map<string, number[]>();
  for (const type of btf.types()) {
    if (type.kind !== uapi.BtfKind.Enum && type.kind !== uapi.BtfKind.Enum64) continue;
    for (const { name, value } of type.values) values.set(name, [...values.get(name) ?? [], Number(value)]);
  }
  return values;
}

/** All names and numbers of the room, whichever const object they are in. */
function* ourValues(): Generator<[string, number]> {
  for (const [name, object] of Object.entries(uapi)) {
    if (typeof object !== "object" || Array.isArray(object) || name === "BtfKind") continue;
    for (const [key, value] of Object.entries(object)) if (typeof value === "number") yield [key, value];
  }
  for (const [key, value] of Object.entries(uapi.BtfKind)) {
    const name = key === "Unknown" ? "UNKN" : key.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
    yield [`BTF_KIND_${name}`, value];
  }
}

Deno.test({
  name: "enums have the numbers of the running kernel where both know a name",
  ...needs({ btf: true }),
  fn() {
    const kernel = kernelValues();
    let compared = 0;
    for (const [name, value] of ourValues()) {
      const theirs = kernel.get(name);
      if (!theirs) continue;
      assertArrayIncludes(theirs, [value], name);
      compared++;
    }
    assertGreater(compared, 400);
  },
});

Deno.test("values are integers, exact as numbers", () => {
  const odd = [...ourValues()].filter(([, value]) => !Number.isSafeInteger(value));
  assertEquals(odd, []);
});

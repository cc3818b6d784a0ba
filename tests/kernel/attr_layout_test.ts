import { assertEquals, assertGreater } from "@std/assert";
import { Btf } from "../../lib/btf/mod.ts";
import { needs } from "../support/mod.ts";
import { compareLayouts, SUBJECTS } from "./attr_layout.ts";

Deno.test({
  name: "the tables of ffi/sys are laid out as the running kernel's BTF says",
  ...needs({ btf: true }),
  fn() {
    const { differences, unknown, same } = compareLayouts(Btf.parse(Deno.readFileSync("/sys/kernel/btf/vmlinux")));
    assertEquals(differences, []);
    // 5.10, the oldest kernel that counts, knows two thirds of the fields.
    assertGreater(same, 200);
    assertGreater(SUBJECTS.length * 2, unknown.length);
  },
});

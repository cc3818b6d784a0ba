import { assertEquals } from "@std/assert";
import { KERNEL_ATTACHERS } from "../../../ffi/attach/kernel_attachers.ts";
import { NETWORK_ATTACHERS } from "../../../ffi/attach/network_attachers.ts";
import { USER_ATTACHERS } from "../../../ffi/attach/user_attachers.ts";
import { SECTION_TABLE } from "../../../lib/spec/section_table.ts";

Deno.test("every section name that libbpf attaches by itself has an attacher", () => {
  const attachers = { ...KERNEL_ATTACHERS, ...USER_ATTACHERS, ...NETWORK_ATTACHERS };
  const missing = SECTION_TABLE.filter(({ flags, attach }) => flags.includes("auto") && !(attach in attachers));
  assertEquals(missing.map(({ pattern }) => pattern), []);
});

Deno.test("no kind has attachers in two tables", () => {
  const kinds = [KERNEL_ATTACHERS, USER_ATTACHERS, NETWORK_ATTACHERS].flatMap((attachers) => Object.keys(attachers));
  assertEquals(kinds.length, new Set(kinds).size);
});

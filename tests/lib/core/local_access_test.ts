import { assertEquals, assertThrows } from "@std/assert";
import { RelocationError } from "../../../lib/errors.ts";
import type { AccessSpec } from "../../../lib/core/access_spec.ts";
import { describeAccess } from "../../../lib/core/describe.ts";
import { localAccess } from "../../../lib/core/local_access.ts";
import { array, constant, fwd, member, ptr, struct, typedef, U32, U64, union, VOID } from "./types.ts";

const SAMPLE = struct("sample", 48, [
  member("x", U32, 0),
  member("", struct("", 32, [member("y", U32, 0), member("a", array(U32, 7), 32)]), 32),
  member("p", ptr(VOID), 320),
]);

function shown(access: AccessSpec): [string, number] {
  return [describeAccess(access), access.offsetBits];
}

Deno.test("localAccess() leaves no step for an anonymous struct", () => {
  const access = localAccess(SAMPLE, [0, 1, 1, 3], 8);
  assertEquals(access.steps.map((step) => step.kind), ["element", "member", "element"]);
  assertEquals(shown(access), ["struct sample.a[3]", 32 + 32 + 3 * 32]);
});

Deno.test("localAccess() takes the first number as pointer arithmetic", () => {
  assertEquals(shown(localAccess(SAMPLE, [2, 0], 8)), ["(struct sample)[2].x", 2 * 48 * 8]);
  assertEquals(shown(localAccess(ptr(VOID), [3], 4)), ["(void *)[3]", 3 * 4 * 8]);
});

Deno.test("localAccess() goes through typedefs and modifiers, and keeps the root's name", () => {
  assertEquals(shown(localAccess(typedef("sample_t", constant(SAMPLE)), [0, 0], 8)), ["sample_t.x", 0]);
});

Deno.test("localAccess() goes through arrays of arrays and of structs", () => {
  const pair = struct("pair", 16, [member("a", U64, 0), member("b", U64, 64)]);
  const table = struct("table", 96, [member("rows", array(array(pair, 3), 2), 0)]);
  assertEquals(shown(localAccess(table, [0, 0, 1, 2, 1], 8)), ["struct table.rows[1][2].b", (5 * 16 + 8) * 8]);
});

Deno.test("localAccess() lets a flexible array have any element", () => {
  const last = struct("list", 4, [member("n", U32, 0), member("items", array(U32, 0), 32)]);
  assertEquals(shown(localAccess(last, [0, 1, 9], 8)), ["struct list.items[9]", 32 + 9 * 32]);
});

Deno.test("localAccess() rejects an element of an array of length 0 that is not the last member", () => {
  const first = struct("list", 4, [member("none", array(U32, 0), 0), member("n", U32, 0)]);
  assertThrows(() => localAccess(first, [0, 0, 0], 8), RelocationError, "element 0 of unsigned int[]");
});

Deno.test("localAccess() rejects an index outside a struct, a union or an array", () => {
  assertThrows(() => localAccess(SAMPLE, [0, 3], 8), RelocationError, "member 3 of struct sample, which has 3");
  assertThrows(() => localAccess(union("u", 4, []), [0, 0], 8), RelocationError, "member 0 of union u");
  assertThrows(() => localAccess(SAMPLE, [0, 1, 1, 7], 8), RelocationError, "element 7 of unsigned int[7]");
});

Deno.test("localAccess() rejects a step into what has no parts, and a root without size", () => {
  assertThrows(() => localAccess(SAMPLE, [0, 0, 0], 8), RelocationError, "struct sample.x");
  assertThrows(() => localAccess(SAMPLE, [0, 2, 0], 8), RelocationError, "void *, which has no parts");
  assertThrows(() => localAccess(fwd("hidden"), [0], 8), RelocationError, "struct hidden has no size");
});

Deno.test("localAccess() rejects an offset that 32 bits don't hold", () => {
  assertThrows(() => localAccess(SAMPLE, [2147483647], 8), RelocationError, "too far");
});

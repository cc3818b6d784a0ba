import { assertEquals, assertThrows } from "@std/assert";
import { RelocationError } from "../../../lib/errors.ts";
import type { BtfType, Member, StructType } from "../../../lib/btf/mod.ts";
import { findMember, memberNames } from "../../../lib/core/find_member.ts";
import { array, constant, member, struct, typedef, U32, union } from "./types.ts";

const INNER = struct("", 8, [member("a", U32, 0), member("b", U32, 32)]);
const OUTER = struct("outer", 24, [
  member("x", U32, 0),
  member("", union("", 8, [member("", INNER, 0), member("c", U32, 0)]), 64),
  member("named", struct("", 4, [member("hidden", U32, 0)]), 128),
]);

Deno.test("findMember() finds members through anonymous structs and unions", () => {
  assertEquals(findMember(OUTER, "x", 0)?.offsetBits, 0);
  const found = findMember(typedef("t", constant(OUTER)), "b", 0);
  assertEquals(found?.offsetBits, 64 + 32);
  assertEquals(found?.step.parent, INNER);
  assertEquals(found?.step.index, 1);
  assertEquals(found?.levels, 3);
});

Deno.test("findMember() does not look into named members", () => {
  assertEquals(findMember(OUTER, "hidden", 0), undefined);
});

Deno.test("findMember() compares whole names, flavours included", () => {
  assertEquals(findMember(OUTER, "x___old", 0), undefined);
});

Deno.test("findMember() finds nothing in what has no members", () => {
  assertEquals(findMember(U32, "x", 0), undefined);
  assertEquals(findMember(array(OUTER, 2), "x", 0), undefined);
});

Deno.test("findMember() takes the first of a name", () => {
  const twice = struct("t", 8, [member("", struct("", 4, [member("a", U32, 0)]), 0), member("a", U32, 32)]);
  assertEquals(findMember(twice, "a", 0)?.offsetBits, 0);
});

Deno.test("findMember() gives up where anonymous members nest too deeply", () => {
  let deep: BtfType = struct("", 4, [member("x", U32, 0)]);
  for (let i = 0; i < 63; i++) deep = struct("", 4, [member("", deep, 0)]);
  assertEquals(findMember(deep, "x", 0)?.levels, 64);
  assertThrows(() => findMember(deep, "x", 1), RelocationError, "64 levels");
});

Deno.test("findMember() ends on a struct that is its own anonymous member", () => {
  const members: Member[] = [];
  const cyclic: StructType = struct("", 4, members);
  members.push(member("", cyclic, 0));
  assertThrows(() => findMember(cyclic, "x", 0), RelocationError);
  assertEquals(memberNames(cyclic), []);
});

Deno.test("findMember() searches a shared anonymous struct once", () => {
  let wide: BtfType = struct("", 4, [member("x", U32, 0)]);
  for (let i = 0; i < 40; i++) wide = struct("", 4, [member("", wide, 0), member("", wide, 0)]);
  assertEquals(findMember(wide, "y", 0), undefined);
});

Deno.test("memberNames() lists what findMember() finds", () => {
  assertEquals(memberNames(OUTER), ["x", "a", "b", "c", "named"]);
  assertEquals(memberNames(U32), []);
});

import { assert, assertThrows } from "@std/assert";
import { RelocationError } from "../../../lib/errors.ts";
import type { BtfType } from "../../../lib/btf/mod.ts";
import { typesMatch } from "../../../lib/core/types_match.ts";
import {
  array,
  constant,
  enumeration,
  enumeration64,
  float,
  fwd,
  int,
  member,
  proto,
  ptr,
  S32,
  struct,
  typedef,
  U32,
  U64,
  union,
  VOID,
} from "./types.ts";

Deno.test("typesMatch() wants integers of one name, size and sign", () => {
  assert(typesMatch(typedef("u32", constant(U32)), typedef("__u32", U32)));
  assert(!typesMatch(U32, S32));
  assert(!typesMatch(int("x", 4), int("x", 8)));
  assert(!typesMatch(int("x", 4), int("x", 4, { signed: true })));
});

Deno.test("typesMatch() wants every local member in the target, in any order", () => {
  const local = struct("s", 8, [member("a", U32, 0), member("b___old", U64, 64)]);
  assert(typesMatch(local, struct("s", 24, [member("b", U64, 0), member("x", U32, 64), member("a", U32, 96)])));
  assert(!typesMatch(local, struct("s", 8, [member("a", U32, 0)])));
  assert(!typesMatch(local, struct("s", 8, [member("a", U32, 0), member("c", U64, 64)])));
  assert(!typesMatch(local, struct("s", 8, [member("a", U32, 0), member("b", U32, 64)])));
  assert(!typesMatch(local, union("s", 8, [...local.members])));
});

Deno.test("typesMatch() tries every member of the name: anonymous ones share theirs", () => {
  const first = struct("", 4, [member("x", U32, 0)]);
  const second = struct("", 4, [member("y", U32, 0)]);
  const local = struct("s", 4, [member("", second, 0)]);
  assert(typesMatch(local, struct("s", 8, [member("", first, 0), member("", second, 32)])));
  assert(!typesMatch(local, struct("s", 8, [member("", first, 0), member("named", second, 32)])));
});

Deno.test("typesMatch() compares only name and kind behind a pointer", () => {
  const inner = struct("inner", 4, [member("x", U32, 0)]);
  const other = struct("inner", 8, [member("y", U64, 0)]);
  assert(!typesMatch(struct("s", 4, [member("i", inner, 0)]), struct("s", 8, [member("i", other, 0)])));
  const pointing = (type: BtfType) => struct("s", 8, [member("i", ptr(type), 0)]);
  assert(typesMatch(pointing(inner), pointing(other)));
  assert(!typesMatch(pointing(inner), pointing(struct("else", 4, []))));
  assert(!typesMatch(pointing(inner), pointing(union("inner", 4, []))));
});

Deno.test("typesMatch() takes a forward declaration behind a pointer, on either side, of the same kind", () => {
  const full = struct("a", 4, []);
  assert(typesMatch(ptr(fwd("a")), ptr(full)));
  assert(typesMatch(ptr(full), ptr(fwd("a"))));
  assert(!typesMatch(ptr(fwd("a", true)), ptr(full)));
  assert(!typesMatch(ptr(full), ptr(fwd("a", true))));
  assert(typesMatch(ptr(fwd("a")), ptr(fwd("a"))));
  assert(!typesMatch(fwd("a"), full));
  assert(!typesMatch(full, fwd("a")));
  assert(typesMatch(fwd("a"), fwd("a")));
  assert(!typesMatch(fwd("a"), fwd("a", true)));
});

Deno.test("typesMatch() wants local enum names in the target, and the same size", () => {
  assert(typesMatch(enumeration("e", { B___x: 1 }), enumeration("e", { A: 1, B: 7 })));
  assert(!typesMatch(enumeration("e", { C: 1 }), enumeration("e", { A: 1, B: 7 })));
  assert(!typesMatch(enumeration("e", { A: 1 }), enumeration("e", { A: 1 }, { size: 1 })));
  assert(!typesMatch(enumeration("e", { A: 1 }), enumeration64("e", { A: 1n })));
  assert(typesMatch(enumeration("e", { A: 1 }, { size: 8 }), enumeration64("e", { A: 1n })));
  assert(!typesMatch(enumeration("e", { A: 1 }), U32));
});

Deno.test("typesMatch() wants arrays of one length", () => {
  assert(typesMatch(array(U32, 3), array(U32, 3)));
  assert(!typesMatch(array(U32, 3), array(U32, 4)));
  assert(!typesMatch(array(U32, 3), array(U64, 3)));
});

Deno.test("typesMatch() compares number, parameters and result of prototypes", () => {
  assert(typesMatch(ptr(proto(U32, ptr(VOID))), ptr(proto(U32, ptr(VOID)))));
  assert(!typesMatch(ptr(proto(U32, ptr(VOID))), ptr(proto(U32))));
  assert(!typesMatch(ptr(proto(U32, U32)), ptr(proto(U32, U64))));
  assert(!typesMatch(ptr(proto(U32)), ptr(proto(U64))));
});

Deno.test("typesMatch() never takes a float, and void only for void", () => {
  assert(!typesMatch(float("double", 8), float("double", 8)));
  assert(typesMatch(VOID, VOID));
  assert(!typesMatch(VOID, struct("", 0, [])));
});

Deno.test("typesMatch() gives up where structs nest 32 levels deep", () => {
  let deep: BtfType = struct("s", 4, []);
  for (let i = 0; i < 31; i++) deep = struct("s", 4, [member("m", deep, 0)]);
  assert(typesMatch(deep, deep));
  const deeper = struct("s", 4, [member("m", deep, 0)]);
  assertThrows(() => typesMatch(deeper, deeper), RelocationError, "32 levels");
});

Deno.test("typesMatch() compares a pair of types once, however often they are nested", () => {
  let wide: BtfType = struct("s", 4, []);
  for (let i = 0; i < 30; i++) wide = struct("s", 4, [member("a", wide, 0), member("b", wide, 0)]);
  assert(typesMatch(wide, wide));
});

import { assert, assertThrows } from "@std/assert";
import { RelocationError } from "../../../lib/errors.ts";
import type { BtfType } from "../../../lib/btf/mod.ts";
import { typesCompatible } from "../../../lib/core/types_compatible.ts";
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
  S64,
  struct,
  typedef,
  U32,
  U64,
  union,
  VOID,
} from "./types.ts";

Deno.test("typesCompatible() compares kinds of composites, not their names or members", () => {
  assert(typesCompatible(struct("a", 4, []), struct("b", 8, [member("x", U32, 0)])));
  assert(!typesCompatible(struct("a", 4, []), union("a", 4, [])));
  assert(!typesCompatible(struct("a", 4, []), fwd("a")));
  assert(typesCompatible(fwd("a"), fwd("a", true)));
});

Deno.test("typesCompatible() takes enums of 32 and 64 bits for one kind", () => {
  assert(typesCompatible(enumeration("a", {}), enumeration64("a", {})));
});

Deno.test("typesCompatible() ignores size and sign of integers, but not a legacy bitfield's offset", () => {
  assert(typesCompatible(U32, S64));
  assert(!typesCompatible(int("x", 4, { offsetBits: 1 }), U32));
});

Deno.test("typesCompatible() goes through typedefs, modifiers, pointers and arrays", () => {
  assert(typesCompatible(typedef("t", constant(ptr(array(U32, 3)))), ptr(array(S64, 5))));
  assert(!typesCompatible(ptr(U32), ptr(VOID)));
  assert(typesCompatible(ptr(VOID), ptr(VOID)));
  assert(!typesCompatible(ptr(U32), array(U32, 1)));
});

Deno.test("typesCompatible() compares number, parameters and result of prototypes", () => {
  const local = proto(VOID, ptr(struct("a", 4, [])), U32);
  assert(typesCompatible(local, proto(VOID, ptr(struct("b", 8, [])), U64)));
  assert(!typesCompatible(local, proto(VOID, ptr(struct("b", 8, [])))));
  assert(!typesCompatible(local, proto(VOID, U64, U64)));
  assert(!typesCompatible(local, proto(U32, ptr(struct("b", 8, [])), U64)));
});

Deno.test("typesCompatible() never takes a float", () => {
  assert(!typesCompatible(float("double", 8), float("double", 8)));
});

Deno.test("typesCompatible() gives up at 32 levels", () => {
  let deep: BtfType = U32;
  for (let i = 0; i < 31; i++) deep = ptr(deep);
  assert(typesCompatible(deep, deep));
  assertThrows(() => typesCompatible(ptr(deep), ptr(deep)), RelocationError, "32 levels");
});

Deno.test("typesCompatible() compares shared parameters once", () => {
  let shared: BtfType = proto(VOID);
  for (let i = 0; i < 15; i++) shared = proto(VOID, ptr(shared), ptr(shared));
  assert(typesCompatible(shared, shared));
  let wide: BtfType = U32;
  for (let i = 0; i < 30; i++) wide = proto(VOID, wide, wide);
  assert(typesCompatible(wide, wide));
});

import { assert, assertEquals } from "@std/assert";
import { fieldsCompatible } from "../../../lib/core/fields_compatible.ts";
import {
  array,
  constant,
  enumeration,
  enumeration64,
  float,
  fwd,
  int,
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

/** Same answer in both directions. */
function compatible(a: Parameters<typeof fieldsCompatible>[0], b: Parameters<typeof fieldsCompatible>[0]): boolean {
  const answer = fieldsCompatible(a, b);
  assertEquals(fieldsCompatible(b, a), answer);
  return answer;
}

Deno.test("fieldsCompatible() takes any struct or union for any other", () => {
  assert(compatible(struct("a", 4, []), struct("b", 8, [])));
  assert(compatible(struct("a", 4, []), union("b", 8, [])));
  assert(!compatible(struct("a", 4, []), fwd("a")));
});

Deno.test("fieldsCompatible() strips modifiers and typedefs", () => {
  assert(compatible(typedef("u32", constant(U32)), U64));
});

Deno.test("fieldsCompatible() takes pointers for pointers and floats for floats", () => {
  assert(compatible(ptr(U32), ptr(struct("x", 1, []))));
  assert(compatible(float("float", 4), float("double", 8)));
  assert(!compatible(ptr(U32), U64));
  assert(!compatible(float("float", 4), U32));
});

Deno.test("fieldsCompatible() ignores size and sign of integers, but not a legacy bitfield's offset", () => {
  assert(compatible(U32, S64));
  assert(!compatible(U32, int("unsigned int", 4, { offsetBits: 3, bits: 5 })));
});

Deno.test("fieldsCompatible() compares names of enums without flavours, 32 and 64 bits alike", () => {
  assert(compatible(enumeration("color", {}), enumeration64("color___wide", {})));
  assert(compatible(enumeration("", {}), enumeration("color", {})));
  assert(!compatible(enumeration("color", {}), enumeration("colour", {})));
  assert(!compatible(enumeration("color", {}), U32));
});

Deno.test("fieldsCompatible() compares names of forward declarations", () => {
  assert(compatible(fwd("a___old"), fwd("a", true)));
  assert(!compatible(fwd("a"), fwd("b")));
});

Deno.test("fieldsCompatible() compares elements of arrays, whatever the lengths", () => {
  assert(compatible(array(U32, 2), array(U64, 9)));
  assert(compatible(array(array(U32, 2), 3), array(array(U64, 4), 5)));
  assert(!compatible(array(U32, 2), array(ptr(VOID), 2)));
  assert(!compatible(array(U32, 1), U32));
});

Deno.test("fieldsCompatible() refuses void and prototypes even to themselves", () => {
  assert(!compatible(VOID, VOID));
  assert(!compatible(proto(VOID), proto(VOID)));
});

import { assertEquals, assertThrows } from "@std/assert";
import { Btf, sizeOf, skipModifiers, skipModifiersAndTypedefs } from "../../../lib/btf/mod.ts";
import { FormatError } from "../../../lib/errors.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";
import { Blob, everyKind } from "./blob.ts";

Deno.test("skipModifiers() stops at a typedef, skipModifiersAndTypedefs() doesn't", () => {
  const blob = new Blob();
  const int = blob.int("int");
  const typedef = blob.type("u", BtfKind.Typedef, { sizeOrType: int });
  const tag = blob.type("user", BtfKind.TypeTag, { sizeOrType: typedef });
  const volatile = blob.type("", BtfKind.Volatile, { sizeOrType: tag });
  const constant = blob.type("", BtfKind.Const, { sizeOrType: volatile });
  const restrict = blob.type("", BtfKind.Restrict, { sizeOrType: constant });
  const btf = Btf.parse(blob.bytes());
  for (const id of [typedef, tag, volatile, constant, restrict]) {
    assertEquals(skipModifiers(btf.type(id)).id, typedef);
    assertEquals(skipModifiersAndTypedefs(btf.type(id)).id, int);
  }
  assertEquals(skipModifiersAndTypedefs(btf.type(0)).kind, BtfKind.Unknown);
});

Deno.test("sizeOf() of every kind", () => {
  const btf = Btf.parse(everyKind().bytes());
  const sizes = Array.from({ length: 20 }, (_, id) => sizeOf(btf.type(id)));
  const none = undefined;
  assertEquals(sizes, [none, 4, 8, 64, 16, 4, 4, none, 4, 4, 4, 8, none, none, 4, 8, 8, none, 4, 8]);
  assertEquals(sizeOf(btf.type(BtfKind.Ptr), 4), 4);
});

Deno.test("sizeOf() of arrays in arrays, of pointers, of nothing", () => {
  const blob = new Blob();
  const int = blob.int("int");
  const pointer = blob.type("", BtfKind.Ptr, { sizeOrType: 0 });
  const inner = blob.type("", BtfKind.Array, {}, pointer, int, 3);
  const outer = blob.type("", BtfKind.Array, {}, inner, int, 5);
  const flexible = blob.type("", BtfKind.Array, {}, int, int, 0);
  const ofVoid = blob.type("", BtfKind.Array, {}, 0, int, 5);
  const btf = Btf.parse(blob.bytes());
  assertEquals([outer, flexible, ofVoid].map((id) => sizeOf(btf.type(id))), [120, 0, undefined]);
  assertEquals(sizeOf(btf.type(outer), 4), 60);
});

Deno.test("sizeOf() refuses arrays of 4 GiB and more", () => {
  const blob = new Blob();
  let array = blob.int("char", 1);
  for (let i = 0; i < 40; i++) array = blob.type("", BtfKind.Array, {}, array, 1, 0xffffffff);
  const btf = Btf.parse(blob.bytes());
  assertEquals(sizeOf(btf.type(2)), 0xffffffff);
  for (const id of [3, 20, array]) assertThrows(() => sizeOf(btf.type(id)), FormatError, "larger than 4 GiB");
});

Deno.test("Chains that lead back to themselves are errors, not endless", () => {
  const blob = new Blob();
  blob.type("a", BtfKind.Typedef, { sizeOrType: 2 });
  blob.type("", BtfKind.Const, { sizeOrType: 1 });
  blob.type("", BtfKind.Const, { sizeOrType: 3 });
  blob.type("", BtfKind.Array, {}, 4, 4, 1);
  const btf = Btf.parse(blob.bytes());
  assertThrows(() => skipModifiersAndTypedefs(btf.type(1)), FormatError, 'BTF type id 1 ("a") is defined by itself');
  assertThrows(() => skipModifiers(btf.type(3)), FormatError, "BTF type id 3 is defined by itself");
  assertEquals(skipModifiers(btf.type(2)).id, 1);
  for (const id of [1, 2, 3, 4]) assertThrows(() => sizeOf(btf.type(id)), FormatError, "is defined by itself");
});

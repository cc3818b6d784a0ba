import { assertEquals, assertThrows } from "@std/assert";
import type { ByteOrder } from "../../../lib/bytes.ts";
import { RelocationError } from "../../../lib/errors.ts";
import type { BtfType } from "../../../lib/btf/mod.ts";
import { BpfCoreReloKind } from "../../../lib/uapi/mod.ts";
import { fieldValue } from "../../../lib/core/field_value.ts";
import { localAccess } from "../../../lib/core/local_access.ts";
import {
  array,
  constant,
  enumeration,
  enumeration64,
  float,
  int,
  member,
  ptr,
  S32,
  S64,
  struct,
  typedef,
  U16,
  U32,
  U64,
  U8,
  VOID,
} from "./types.ts";

const {
  BPF_CORE_FIELD_BYTE_OFFSET: OFFSET,
  BPF_CORE_FIELD_BYTE_SIZE: SIZE,
  BPF_CORE_FIELD_EXISTS: EXISTS,
  BPF_CORE_FIELD_SIGNED: SIGNED,
  BPF_CORE_FIELD_LSHIFT_U64: LSHIFT,
  BPF_CORE_FIELD_RSHIFT_U64: RSHIFT,
} = BpfCoreReloKind;

function valueOf(
  kind: BpfCoreReloKind,
  root: BtfType,
  indexes: number[],
  order: ByteOrder = "little",
  pointerSize = 8,
): number | bigint {
  return fieldValue(kind, localAccess(root, indexes, pointerSize), { order, pointerSize }).value;
}

/** Offset, size, left shift, right shift, sign of member 0. */
function all(type: BtfType, offsetBits: number, bits: number, order: ByteOrder = "little"): (number | bigint)[] {
  const root = struct("s", 64, [member("m", type, offsetBits, bits)]);
  return [OFFSET, SIZE, LSHIFT, RSHIFT, SIGNED].map((kind) => valueOf(kind, root, [0, 0], order));
}

Deno.test("fieldValue() of a plain field", () => {
  assertEquals(all(U32, 96, 0), [12, 4, 32, 32, 0]);
  assertEquals(all(U32, 96, 0, "big"), [12, 4, 32, 32, 0]);
  assertEquals(all(typedef("s64", constant(S64)), 64, 0), [8, 8, 0, 0, 1]);
  assertEquals(all(U8, 8, 0, "big"), [1, 1, 56, 56, 0]);
});

Deno.test("fieldValue() of a bitfield inside one storage unit, both byte orders", () => {
  // unsigned int pad; unsigned int a:3, b:7;
  assertEquals(all(U32, 32, 3), [4, 4, 61, 61, 0]);
  assertEquals(all(U32, 35, 7), [4, 4, 54, 57, 0]);
  assertEquals(all(U32, 32, 3, "big"), [4, 4, 32, 61, 0]);
  assertEquals(all(U32, 35, 7, "big"), [4, 4, 35, 57, 0]);
  assertEquals(all(S32, 42, 5), [4, 4, 49, 59, 1]);
});

Deno.test("fieldValue() widens the load of a bitfield that crosses its storage unit", () => {
  // A packed struct: 4 bytes from byte 0 don't hold bits 30 to 33, 8 do.
  assertEquals(all(U32, 30, 4), [0, 8, 30, 60, 0]);
  assertEquals(all(U8, 13, 6), [0, 4, 64 - 19, 58, 0]);
  assertEquals(all(U16, 15, 2, "big"), [0, 4, 32 + 15, 62, 0]);
});

Deno.test("fieldValue() rejects a bitfield that no load holds", () => {
  const crossing = struct("s", 16, [member("m", U64, 60, 10)]);
  assertThrows(() => valueOf(OFFSET, crossing, [0, 0]), RelocationError, "no load of 8 bytes");
  const pointer = struct("s", 16, [member("m", ptr(VOID), 0, 10)]);
  assertThrows(() => valueOf(SIZE, pointer, [0, 0]), RelocationError, "no integer");
});

Deno.test("fieldValue() knows signed enums, and that other types have no sign", () => {
  assertEquals(all(enumeration("e", { A: -1 }, { signed: true }), 0, 0)[4], 1);
  assertEquals(all(enumeration("e", { A: 1 }), 0, 0)[4], 0);
  assertEquals(all(enumeration64("e", { A: -1n }, { signed: true }), 0, 0)[4], 1);
  assertEquals(all(float("double", 8), 0, 0)[4], 0);
  assertEquals(all(ptr(VOID), 0, 0)[4], 0);
});

Deno.test("fieldValue() shifts like 32-bit C where a field has more than 8 bytes", () => {
  const big = struct("big", 24, []);
  assertEquals(all(big, 64, 0), [8, 24, 64 - 192 + 2 ** 32, 64 - 192 + 2 ** 32, 0]);
  assertEquals(all(big, 64, 0, "big")[2], (8 - 24) * 8 + 2 ** 32);
});

Deno.test("fieldValue() takes the size of pointers from the layout", () => {
  const root = struct("s", 16, [member("a", array(ptr(VOID), 2), 0)]);
  assertEquals(valueOf(SIZE, root, [0, 0], "little", 4), 8);
  assertEquals(valueOf(SIZE, root, [0, 0], "little", 8), 16);
});

Deno.test("fieldValue() answers offset, size and existence of an array element, nothing else", () => {
  const root = struct("s", 96, [member("m", array(array(U16, 6), 4), 32)]);
  assertEquals(valueOf(OFFSET, root, [0, 0, 1, 2]), 4 + 12 + 4);
  assertEquals(valueOf(SIZE, root, [0, 0, 1]), 12);
  assertEquals(valueOf(EXISTS, root, [0, 0, 1]), 1);
  for (const kind of [SIGNED, LSHIFT, RSHIFT]) {
    assertThrows(() => valueOf(kind, root, [0, 0, 1, 2]), RelocationError, "array element");
  }
});

Deno.test("fieldValue() gives the width of one innermost element with an offset", () => {
  const root = struct("s", 96, [member("m", array(array(U16, 6), 4), 0), member("b", U32, 768, 3)]);
  const layout = { order: "little", pointerSize: 8 } as const;
  assertEquals(fieldValue(OFFSET, localAccess(root, [0, 0], 8), layout).width?.bytes, 2);
  assertEquals(fieldValue(OFFSET, localAccess(root, [0, 0, 1], 8), layout).width?.bytes, 2);
  assertEquals(fieldValue(OFFSET, localAccess(root, [0, 1], 8), layout).width, undefined);
  assertEquals(fieldValue(SIZE, localAccess(root, [0, 0], 8), layout).width, undefined);
});

Deno.test("fieldValue() leaves a bitfield unchecked, except for what compilers agree on", () => {
  const root = struct("s", 8, [member("b", U32, 0, 3), member("p", U32, 32)]);
  const layout = { order: "little", pointerSize: 8 } as const;
  const checked = (index: number) =>
    [OFFSET, SIZE, EXISTS, SIGNED, LSHIFT, RSHIFT].map((kind) =>
      fieldValue(kind, localAccess(root, [0, index], 8), layout).checked
    );
  assertEquals(checked(0), [false, false, true, true, false, true]);
  assertEquals(checked(1), [true, true, true, true, true, true]);
});

Deno.test("fieldValue() takes a 16-byte bitfield's own type", () => {
  assertEquals(all(int("__int128 unsigned", 16), 3, 20).slice(0, 2), [0, 16]);
});

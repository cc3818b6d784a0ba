import { assertEquals, assertThrows } from "@std/assert";
import { RelocationError } from "../../../lib/errors.ts";
import { parseAccessor } from "../../../lib/core/accessor.ts";

Deno.test("parseAccessor() reads one number and many", () => {
  assertEquals(parseAccessor("0"), [0]);
  assertEquals(parseAccessor("0:12:2147483647"), [0, 12, 2147483647]);
});

Deno.test("parseAccessor() rejects what is not numbers with single colons between", () => {
  for (const text of ["", ":", "0:", ":0", "0::1", "-1", "+1", "0: 1", "0x1", "a", "0:1 ", "\u0660"]) {
    assertThrows(() => parseAccessor(text), RelocationError, "corrupt", text);
  }
});

Deno.test("parseAccessor() rejects a number that a C int does not hold", () => {
  assertThrows(() => parseAccessor("0:2147483648"), RelocationError, "2147483647");
});

Deno.test("parseAccessor() takes 64 numbers and no more", () => {
  assertEquals(parseAccessor(new Array(64).fill("1").join(":")).length, 64);
  assertThrows(() => parseAccessor(new Array(65).fill("1").join(":")), RelocationError, "more than 64");
});

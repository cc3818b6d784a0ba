import { assertEquals } from "@std/assert";
import { describeOffset, describeType } from "../../../lib/core/describe.ts";
import type { BtfType, PtrType } from "../../../lib/btf/mod.ts";
import { array, constant, enumeration, float, fwd, proto, ptr, struct, typedef, U32, union, VOID } from "./types.ts";

Deno.test("describeType() writes types as C does in a cast", () => {
  const cases: [BtfType, string][] = [
    [VOID, "void"],
    [U32, "unsigned int"],
    [float("double", 8), "double"],
    [struct("a", 1, []), "struct a"],
    [struct("", 1, []), "struct (anonymous)"],
    [union("u", 1, []), "union u"],
    [fwd("f"), "struct f"],
    [fwd("f", true), "union f"],
    [enumeration("e", {}), "enum e"],
    [typedef("t", U32), "t"],
    [ptr(ptr(VOID)), "void **"],
    [ptr(constant(struct("file", 1, []))), "const struct file *"],
    [constant(ptr(U32)), "unsigned int * const"],
    [array(array(U32, 3), 2), "unsigned int[2][3]"],
    [array(U32, 0), "unsigned int[]"],
    [proto(U32, ptr(VOID), U32), "unsigned int (void *, unsigned int)"],
    [proto(VOID), "void (void)"],
  ];
  for (const [type, text] of cases) assertEquals(describeType(type), text);
});

Deno.test("describeType() ends on a type that refers to itself", () => {
  const cyclic: { -readonly [key in keyof PtrType]: PtrType[key] } = { ...ptr(VOID) };
  cyclic.target = cyclic;
  assertEquals(describeType(cyclic).startsWith("..."), true);
});

Deno.test("describeOffset() shows bits only where they matter", () => {
  assertEquals([describeOffset(0), describeOffset(96), describeOffset(99)], ["0", "12", "12 + 3 bits"]);
});

/**
 * BTF that wants a dump to hang, to run out of memory or out of stack.
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Btf } from "../../../../lib/btf/mod.ts";
import { formatC, formatRaw, formatTypeScript } from "../../../../lib/btf/dump/mod.ts";
import { DebpfError, FormatError, UnsupportedError } from "../../../../lib/errors.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { Blob } from "../blob.ts";

const BOTH = [{ unsorted: true }, {}];

function assertRefused(blob: Blob, message: string): void {
  for (const options of BOTH) assertThrows(() => formatC(Btf.parse(blob.bytes()), options), FormatError, message);
}

Deno.test("formatC() a struct that contains itself", () => {
  const blob = new Blob();
  blob.struct("s", 4, ["a", 1, 0]);
  assertRefused(blob, 'type id 1 ("s"): contains itself');
});

Deno.test("formatC() structs that contain each other by way of arrays", () => {
  const blob = new Blob();
  blob.struct("a", 4, ["b", 2, 0]);
  blob.type("", BtfKind.Array, {}, 3, 3, 2);
  blob.struct("b", 4, ["a", 1, 0]);
  assertRefused(blob, "contains itself");
});

Deno.test("formatC() a struct without a name that points at itself has no end", () => {
  const blob = new Blob();
  blob.struct("", 8, ["a", 2, 0]);
  blob.type("", BtfKind.Ptr, { sizeOrType: 1 });
  blob.type("t", BtfKind.Typedef, { sizeOrType: 1 });
  assertRefused(blob, "contains itself");
});

for (const kind of [BtfKind.Const, BtfKind.Ptr, BtfKind.Typedef, BtfKind.TypeTag] as const) {
  Deno.test(`formatC() a circle of kind ${kind}`, () => {
    const blob = new Blob();
    blob.type(kind === BtfKind.Typedef ? "t" : "", kind, { sizeOrType: 2 });
    blob.type(kind === BtfKind.Typedef ? "u" : "", kind, { sizeOrType: 1 });
    blob.type("x", BtfKind.Typedef, { sizeOrType: 1 });
    for (const options of BOTH) assertThrows(() => formatC(Btf.parse(blob.bytes()), options), FormatError);
  });

  Deno.test(`formatC() 100,000 of kind ${kind} on one another end with text or an error`, () => {
    const blob = new Blob();
    blob.int("int");
    const name = kind === BtfKind.Typedef ? blob.string("t") : 0;
    for (let i = 1; i <= 100_000; i++) blob.type(name, kind, { sizeOrType: i });
    blob.type("last", BtfKind.Typedef, { sizeOrType: 100_001 });
    for (const options of BOTH) {
      try {
        const text = formatC(Btf.parse(blob.bytes()), options);
        assert(text.length < 10_000_000);
      } catch (error) {
        assert(error instanceof FormatError, String(error));
      }
    }
  });
}

Deno.test("formatC() a function that takes itself", () => {
  const blob = new Blob();
  blob.type("", BtfKind.FuncProto, { vlen: 1, sizeOrType: 0 }, 0, 2);
  blob.type("", BtfKind.Ptr, { sizeOrType: 1 });
  blob.type("f", BtfKind.Typedef, { sizeOrType: 2 });
  for (const options of BOTH) assertThrows(() => formatC(Btf.parse(blob.bytes()), options), FormatError);
});

Deno.test("formatC() a small file that asks for endless text", () => {
  // Each body holds the one before twice: 2^60 members.
  const blob = new Blob();
  blob.int("int");
  for (let i = 1; i <= 60; i++) blob.struct("", 4, ["a", i, 0], ["b", i, 0]);
  blob.struct("all", 4, ["x", 61, 0]);
  assertThrows(() => formatC(Btf.parse(blob.bytes()), { unsorted: true }), FormatError, "would be endless");
  assertThrows(() => formatC(Btf.parse(blob.bytes())), DebpfError);
});

Deno.test("formatC() unions of unions without names ask for endless text", () => {
  const blob = new Blob();
  blob.int("int");
  for (let i = 1; i <= 60; i++) {
    blob.type("", BtfKind.Union, { vlen: 2, sizeOrType: 4 }, blob.string("a"), i, 0, blob.string("b"), i, 0);
  }
  blob.struct("all", 4, ["x", 61, 0]);
  assertRefused(blob, "would be endless");
});

Deno.test("formatC() references and names that lead outside", () => {
  const member = new Blob();
  member.struct("s", 4, ["a", 7, 0]);
  assertRefused(member, "type id 7: is referred to and does not exist");
  const name = new Blob();
  name.type(500, BtfKind.Struct, {});
  assertRefused(name, "its name lies outside the strings");
  const memberName = new Blob();
  memberName.int("int");
  memberName.type("s", BtfKind.Struct, { vlen: 1, sizeOrType: 4 }, 500, 1, 0);
  assertRefused(memberName, "lies outside the strings");
  const value = new Blob();
  value.type("e", BtfKind.Enum, { vlen: 1, sizeOrType: 4 }, 500, 1);
  assertRefused(value, "lies outside the strings");
});

Deno.test("formatC() members of what no member can be of", () => {
  const blob = new Blob();
  blob.type("f", BtfKind.Func, { sizeOrType: 2 });
  blob.type("", BtfKind.FuncProto, {});
  blob.struct("s", 4, ["a", 1, 0]);
  assertRefused(blob, "is not a type that something can be of");
});

Deno.test("formatC() members that overlap, or lie outside, cannot be said in C", () => {
  for (const at of [[0, 16], [0, 96]] as const) {
    const blob = new Blob();
    blob.int("int");
    blob.struct("s", 8, ["a", 1, at[0]], ["b", 1, at[1]]);
    assertThrows(() => formatC(Btf.parse(blob.bytes())), UnsupportedError, "cannot be said in C");
  }
});

Deno.test("formatC() a kind of the future, which only the layout section knows", () => {
  const blob = new Blob();
  blob.type("new", 20, { sizeOrType: 4 });
  blob.struct("s", 0);
  const layout = new Array(21 * 4).fill(0);
  const btf = Btf.parse(blob.bytes({ layout }));
  assertThrows(() => formatC(btf, { unsorted: true }), UnsupportedError, "type id 1 has kind 20");
  assertStringIncludes(formatC(btf, { roots: [2] }), "struct s {};");
  assertEquals(formatRaw(btf), "[1] UNKNOWN 'new'\n[2] STRUCT 's' size=0 vlen=0\n");
});

Deno.test("formatTypeScript() what contradicts itself is never, the rest is there", () => {
  const blob = new Blob();
  blob.int("int");
  blob.struct("bad", 4, ["a", 2, 0]);
  blob.struct("good", 4, ["a", 1, 0]);
  const text = formatTypeScript(Btf.parse(blob.bytes()));
  assertStringIncludes(text, "export type bad = never;");
  assertStringIncludes(text, "export type good = {\n  a: number;\n};");
  assertThrows(() => formatTypeScript(Btf.parse(blob.bytes()), { roots: [2] }), FormatError);
});

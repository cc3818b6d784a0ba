import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Btf } from "../../../lib/btf/mod.ts";
import { FormatError, UnsupportedError } from "../../../lib/errors.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";
import { Blob, type HeaderFields } from "./blob.ts";

function refused(header: HeaderFields, reason: string): void {
  const blob = new Blob();
  blob.int("int");
  const error = assertThrows(() => Btf.parse(blob.bytes(header), { what: "x.btf" }), FormatError);
  assertStringIncludes(error.message, reason);
  assertStringIncludes(error.message, "x.btf");
}

Deno.test("Btf.parse() refuses a header that is not what it should be", () => {
  refused({ magic: 0xfeed }, "not BTF");
  refused({ version: 2 }, "version 2");
  refused({ flags: 1 }, "flags 0x1");
  refused({ hdrLen: 20 }, "hdr_len is 20");
  refused({ hdrLen: 0xffffffff }, "header");
});

Deno.test("Btf.parse() refuses sections that lie outside, also where sums overflow 32 bits", () => {
  refused({ typeLen: 4096 }, "type section");
  refused({ typeOff: 0xfffffffc, typeLen: 16 }, "type section");
  refused({ strOff: 0xffffffff }, "string section");
  refused({ strLen: 0xffffffff }, "string section");
  refused({ typeLen: 15 }, "not a multiple of 4");
});

Deno.test("Btf.parse() refuses strings that don't start and end with a NUL", () => {
  refused({ strLen: 0 }, "empty");
  refused({ strLen: 3 }, "does not end with a NUL");
  refused({ strOff: 17, strLen: 4 }, "does not start with the empty string");
});

Deno.test("Btf.parse() leaves alone header fields that it doesn't know", () => {
  const blob = new Blob();
  blob.int("int");
  assertEquals(Btf.parse(blob.bytes({ padding: 16 })).nameOf(1), "int");
});

Deno.test("Btf.parse() reads words at any alignment and in both byte orders", () => {
  for (const order of ["little", "big"] as const) {
    const blob = new Blob({ order });
    blob.int("int", 4, 1);
    for (const shift of [0, 1, 2, 3]) {
      const bytes = blob.bytes();
      const shifted = new Uint8Array(bytes.length + shift);
      shifted.set(bytes, shift);
      const btf = Btf.parse(shifted.subarray(shift));
      assertEquals([btf.order, btf.nameOf(1), btf.kindOf(1), btf.typeCount], [order, "int", BtfKind.Int, 2]);
    }
  }
});

/** Sizes of 21 kinds: the last is unknown to the library, with 4 bytes of its own and 8 per element. */
const LAYOUT = [...new Array<number>(20 * 4).fill(0), 4, 8, 0, 0];

function withUnknownKind(): Blob {
  const blob = new Blob();
  blob.int("before");
  blob.type("novel", 20, { vlen: 2 }, 1, 2, 3, 4, 5);
  blob.int("behind");
  return blob;
}

Deno.test("Btf steps over a kind that only its layout section knows", () => {
  const btf = Btf.parse(withUnknownKind().bytes({ layout: LAYOUT }), { what: "x.btf" });
  assertEquals(btf.typeCount, 4);
  assertEquals(btf.findIds("behind"), [3]);
  assertEquals(btf.nameOf(2), "novel");
  const error = assertThrows(() => btf.type(2), UnsupportedError);
  assertEquals(error.feature, "BTF kind 20");
  assertStringIncludes(error.message, "x.btf: type id 2 at offset 16 has kind 20");
});

Deno.test("Btf ends at a kind that nobody knows; types before it stay readable", () => {
  const btf = Btf.parse(withUnknownKind().bytes(), { what: "x.btf" });
  assertEquals(btf.find("before")?.id, 1);
  for (
    const attempt of [
      () => btf.type(2),
      () => btf.type(3),
      () => btf.typeCount,
      () => btf.find("behind"),
      () => btf.findIds("before"),
      () => btf.findEssential("before"),
      () => [...btf.types()],
    ]
  ) {
    const error = assertThrows(attempt, FormatError);
    assertStringIncludes(error.message, "x.btf: type id 2 at offset 16 of the type section has the unknown kind 20");
  }
  assertEquals(btf.type(1).name, "before");
  assertEquals(btf.find("before")?.id, 1);
});

Deno.test("Btf.parse() refuses a layout whose sizes are not words", () => {
  const layout = [...LAYOUT];
  layout[80] = 5;
  assertThrows(() => Btf.parse(withUnknownKind().bytes({ layout })), FormatError, "multiples of 4");
});

import { assertEquals, assertThrows } from "@std/assert";
import { Btf, essentialName } from "../../../lib/btf/mod.ts";
import { FormatError } from "../../../lib/errors.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";
import { Blob } from "./blob.ts";

/** Names that share hashes, prefixes, flavours and types of several kinds. */
function crowd(count: number): { blob: Blob; names: string[] } {
  const blob = new Blob();
  const names = [""];
  const add = (name: string, kind: number): void => {
    blob.type(name, kind, kind === BtfKind.Typedef || kind === BtfKind.Func ? { sizeOrType: 0 } : { sizeOrType: 4 });
    names.push(name);
  };
  for (let i = 0; i < count; i++) {
    const n = i % 97;
    add(i % 3 === 0 ? `name_with_a_long_common_prefix_${n}` : `n${n}`, i % 2 === 0 ? BtfKind.Func : BtfKind.Typedef);
    if (i % 5 === 0) add(`n${n}___v${i % 2}___old`, BtfKind.Struct);
    if (i % 7 === 0) add(`n${n}___v1`, BtfKind.Func);
    if (i % 11 === 0) add("", BtfKind.Struct);
  }
  return { blob, names };
}

Deno.test("Btf finds the same types by scanning and by its index", () => {
  const { blob, names } = crowd(1000);
  const btf = Btf.parse(blob.bytes());
  const ids = (wanted: (name: string, id: number) => boolean) =>
    names.flatMap((name, id) => name !== "" && wanted(name, id) ? [id] : []);
  // The first look-ups scan; the index is built when that has become too much work.
  for (let round = 0; round < 3; round++) {
    for (const name of new Set(names)) {
      assertEquals(btf.findIds(name), ids((n) => n === name), name);
      assertEquals(btf.find(name)?.id, ids((n) => n === name)[0], name);
      for (const kind of [BtfKind.Func, BtfKind.Typedef, BtfKind.Struct, BtfKind.Int]) {
        const expected = ids((n, id) => n === name && btf.kindOf(id) === kind);
        assertEquals(btf.findIds(name, kind), expected, `${name}, kind ${kind}`);
        assertEquals(btf.find(name, kind)?.id, expected[0]);
      }
    }
    assertEquals(btf.findIds("nobody"), []);
    assertEquals(btf.find("nobody"), undefined);
  }
});

Deno.test("Btf.findEssential() finds flavours, of all kinds or of those asked for", () => {
  const { blob, names } = crowd(1000);
  const btf = Btf.parse(blob.bytes());
  for (const name of new Set([...names, ...names.map(essentialName), "nobody", "n1___"])) {
    if (name === "") continue;
    const expected = names.flatMap((n, id) => essentialName(n) === name ? [id] : []);
    const { Func, Struct } = BtfKind;
    assertEquals(btf.findEssential(name, Struct), expected.filter((id) => btf.kindOf(id) === Struct), name);
    assertEquals(btf.findEssential(name, Func), expected.filter((id) => btf.kindOf(id) === Func), name);
    assertEquals(
      btf.findEssential(name, Func, Struct),
      expected.filter((id) => btf.kindOf(id) === Func || btf.kindOf(id) === Struct),
      name,
    );
    assertEquals(btf.findEssential(name), expected, name);
  }
});

Deno.test("Btf.find() finds nothing by an empty name or one with a NUL", () => {
  const { blob } = crowd(10);
  const btf = Btf.parse(blob.bytes());
  for (const name of ["", "n1\0", "\0"]) {
    assertEquals(btf.find(name), undefined);
    assertEquals(btf.findIds(name), []);
    assertEquals(btf.findEssential(name), []);
  }
});

Deno.test("Btf.find() compares names as UTF-8", () => {
  const blob = new Blob();
  blob.int("größe");
  blob.int("größe___alt");
  const btf = Btf.parse(blob.bytes());
  assertEquals(btf.find("größe")?.name, "größe");
  assertEquals(btf.findEssential("größe"), [1, 2]);
});

Deno.test("Btf.find() of names of one byte, and at the end of the strings", () => {
  const blob = new Blob();
  blob.int("ab");
  blob.int("a");
  blob.int("b");
  const btf = Btf.parse(blob.bytes());
  assertEquals(["a", "b", "ab", "c"].map((name) => btf.find(name)?.id), [2, 3, 1, undefined]);
});

Deno.test("Btf.find() goes no further than it must", () => {
  const blob = new Blob();
  blob.int("first");
  blob.type("broken", 99);
  const btf = Btf.parse(blob.bytes());
  assertEquals(btf.find("first", BtfKind.Int)?.id, 1);
  assertThrows(() => btf.find("first", BtfKind.Struct), FormatError, "unknown kind 99");
});

Deno.test("Btf finds others beside a type whose name lies outside", () => {
  const blob = new Blob();
  blob.type(0x7fffffff, BtfKind.Struct, { sizeOrType: 4 });
  blob.struct("good", 4);
  const btf = Btf.parse(blob.bytes(), { what: "x.btf" });
  for (let i = 0; i < 2; i++) {
    assertEquals(btf.findIds("good"), [2]);
    assertEquals(btf.findEssential("good"), [2]);
  }
  assertThrows(() => btf.nameOf(1), FormatError, "x.btf: string offset 2147483647 lies outside its 6 bytes");
});

Deno.test("Btf.pointerSize follows long, and is 8 without one", () => {
  assertEquals(Btf.parse(new Blob().bytes()).pointerSize, 8);
  for (const [name, size] of [["long unsigned int", 4], ["long", 8], ["unsigned long", 4]] as const) {
    const blob = new Blob();
    blob.int("int");
    blob.int(name, size);
    assertEquals(Btf.parse(blob.bytes()).pointerSize, size);
  }
});

Deno.test("Btf.ownIdsOf() gives the ids of the kinds that are asked for, in one pass", () => {
  const { blob } = crowd(100);
  const btf = Btf.parse(blob.bytes());
  const ids = Array.from({ length: btf.typeCount - 1 }, (_, i) => i + 1);
  for (const kinds of [[BtfKind.Struct], [BtfKind.Func, BtfKind.Struct], [BtfKind.Datasec], []]) {
    assertEquals(btf.ownIdsOf(...kinds), ids.filter((id) => kinds.includes(btf.kindOf(id) as never)));
  }
  blob.type("broken", 99, { sizeOrType: 0 });
  assertThrows(() => Btf.parse(blob.bytes()).ownIdsOf(BtfKind.Struct), FormatError, "kind 99");
});

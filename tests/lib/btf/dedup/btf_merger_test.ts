import { assertEquals, assertThrows } from "@std/assert";
import { Btf } from "../../../../lib/btf/mod.ts";
import { BtfMerger, dedupBtf } from "../../../../lib/btf/dedup/mod.ts";
import { FormatError, UnsupportedError } from "../../../../lib/errors.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { Blob, everyKind } from "../blob.ts";

function parse(blob: Blob, what = "input"): Btf {
  return Btf.parse(blob.bytes(), { what });
}

/** Kind and name of each type of what merging leaves. */
function mergeAll(...inputs: Btf[]): string[] {
  const merger = new BtfMerger();
  for (const btf of inputs) merger.append(btf);
  return titles(Btf.parse(merger.finish().bytes));
}

function titles(btf: Btf): string[] {
  const kinds = new Map<number, string>(Object.entries(BtfKind).map(([name, kind]) => [kind, name]));
  return [...btf.types()].map((type) => `${kinds.get(type.kind)} ${type.name}`.trim());
}

Deno.test("BtfMerger keeps one of each kind when the same BTF comes twice, but variables and sections", () => {
  const once = titles(parse(everyKind()));
  const twice = mergeAll(parse(everyKind()), parse(everyKind()));
  assertEquals(twice, [...once, "Var counter", "Datasec .data"]);
});

Deno.test("BtfMerger.append() takes the same BTF once", () => {
  const btf = parse(everyKind());
  assertEquals(mergeAll(btf, btf), titles(btf));
});

Deno.test("dedupBtf() of BTF without duplicates changes nothing, in both byte orders", () => {
  for (const order of ["little", "big"] as const) {
    const bytes = everyKind(order).bytes();
    const { bytes: result, ids } = dedupBtf(Btf.parse(bytes));
    assertEquals(Btf.parse(result).order, order);
    assertEquals(result, bytes);
    assertEquals([...ids], [...ids.keys()]);
  }
});

Deno.test("BtfMerger makes one BTF of two byte orders", () => {
  const merger = new BtfMerger({ order: "big" });
  merger.append(parse(everyKind("little")));
  merger.append(parse(everyKind("big")));
  const { bytes, typeCount } = merger.finish();
  const merged = Btf.parse(bytes);
  assertEquals([merged.order, merged.typeCount, typeCount], ["big", 22, 22]);
});

Deno.test("BtfMerger tells apart what differs in anything: size, sign, value, offset, name, length, linkage", () => {
  const blob = new Blob();
  blob.int("int", 4, 1);
  blob.int("int", 4, 0);
  blob.int("int", 8, 1);
  for (const value of [1, 2]) {
    blob.type("e", BtfKind.Enum, { vlen: 1, sizeOrType: 4 }, blob.string("A"), value);
  }
  blob.struct("s", 8, ["a", 1, 0]);
  blob.struct("s", 8, ["a", 1, 32]);
  blob.struct("s", 8, ["b", 1, 0]);
  blob.struct("s", 8, ["a", 2, 0]);
  blob.type("", BtfKind.Array, {}, 1, 1, 4);
  blob.type("", BtfKind.Array, {}, 1, 1, 5);
  const proto = blob.type("", BtfKind.FuncProto, { vlen: 1, sizeOrType: 1 }, blob.string("x"), 1);
  blob.type("", BtfKind.FuncProto, { vlen: 1, sizeOrType: 1 }, blob.string("y"), 1);
  blob.type("f", BtfKind.Func, { vlen: 0, sizeOrType: proto });
  blob.type("f", BtfKind.Func, { vlen: 1, sizeOrType: proto });
  blob.type("t", BtfKind.TypeTag, { sizeOrType: 1 });
  blob.type("t", BtfKind.TypeTag, { sizeOrType: 1, flag: true });
  blob.type("d", BtfKind.DeclTag, { sizeOrType: 6 }, 0);
  blob.type("d", BtfKind.DeclTag, { sizeOrType: 6 }, 1);
  blob.type("float", BtfKind.Float, { sizeOrType: 4 });
  blob.type("float", BtfKind.Float, { sizeOrType: 8 });
  const btf = parse(blob);
  assertEquals(titles(Btf.parse(dedupBtf(btf).bytes)), titles(btf));
});

/** `struct list { struct list *next; PAYLOAD *payload; }`; `payload` writes the type pointed at and gives its id. */
function list(payload: (blob: Blob) => number): Blob {
  const blob = new Blob();
  blob.int("int");
  blob.struct("list", 16, ["next", 3, 0], ["payload", 4, 64]);
  blob.type("", BtfKind.Ptr, { sizeOrType: 2 });
  blob.type("", BtfKind.Ptr, { sizeOrType: 5 });
  payload(blob);
  return blob;
}

Deno.test("BtfMerger finds structs that point at themselves, and tells them apart by what is far away", () => {
  const one = list((blob) => blob.struct("payload", 4, ["a", 1, 0]));
  const other = list((blob) => blob.struct("payload", 4, ["b", 1, 0]));
  const types = ["Int int", "Struct list", "Ptr", "Ptr", "Struct payload"];
  assertEquals(mergeAll(parse(one), parse(one)), types);
  assertEquals(mergeAll(parse(one), parse(other)), [...types, ...types.slice(1)]);
});

Deno.test("BtfMerger resolves a forward declaration by the struct in its place, whichever comes first", () => {
  const declared = list((blob) => blob.type("payload", BtfKind.Fwd));
  const defined = list((blob) => blob.struct("payload", 4, ["a", 1, 0]));
  const expected = ["Int int", "Ptr", "Ptr", "Struct list", "Struct payload"];
  assertEquals(mergeAll(parse(declared), parse(defined)).sort(), expected);
  assertEquals(mergeAll(parse(defined), parse(declared)).sort(), expected);
});

Deno.test("BtfMerger leaves a forward declaration that may mean two structs, and one of the other kind", () => {
  const declaring = (union: boolean): Blob => {
    const blob = new Blob();
    blob.type("", BtfKind.Ptr, { sizeOrType: 2 });
    blob.type("x", BtfKind.Fwd, { flag: union });
    return blob;
  };
  const defining = (size: number): Blob => {
    const blob = new Blob();
    blob.struct("x", size);
    return blob;
  };
  assertEquals(mergeAll(parse(declaring(false)), parse(defining(4))), ["Ptr", "Struct x"]);
  assertEquals(mergeAll(parse(declaring(true)), parse(defining(4))), ["Ptr", "Fwd x", "Struct x"]);
  assertEquals(mergeAll(parse(declaring(false)), parse(defining(4)), parse(defining(8))), [
    "Ptr",
    "Fwd x",
    "Struct x",
    "Struct x",
  ]);
  assertEquals(mergeAll(parse(declaring(false)), parse(declaring(false)), parse(declaring(true))), [
    "Ptr",
    "Fwd x",
    "Ptr",
    "Fwd x",
  ]);
});

Deno.test("BtfMerger takes an enum without values for the one of its name", () => {
  const declared = new Blob();
  declared.type("e", BtfKind.Enum, { sizeOrType: 4 });
  declared.type("", BtfKind.Ptr, { sizeOrType: 1 });
  const defined = new Blob();
  defined.type("e", BtfKind.Enum64, { vlen: 1, sizeOrType: 8 }, defined.string("A"), 1, 1);
  assertEquals(mergeAll(parse(declared), parse(defined)), ["Ptr", "Enum64 e"]);
  assertEquals(mergeAll(parse(declared), parse(declared)), ["Enum e", "Ptr"]);
});

Deno.test("BtfMerger joins what refers to itself without a struct only with itself", () => {
  const blob = new Blob();
  blob.type("t", BtfKind.Typedef, { sizeOrType: 2 });
  blob.type("", BtfKind.Ptr, { sizeOrType: 1 });
  assertEquals(titles(Btf.parse(dedupBtf(parse(blob)).bytes)), ["Typedef t", "Ptr"]);
});

Deno.test("BtfMerger goes through a chain of a hundred thousand pointers", () => {
  const blob = new Blob();
  blob.int("int");
  for (let id = 1; id <= 100_000; id++) blob.type("", BtfKind.Ptr, { sizeOrType: id });
  const deepestFirst = new Blob();
  for (let id = 1; id <= 100_000; id++) deepestFirst.type("", BtfKind.Ptr, { sizeOrType: id + 1 });
  deepestFirst.int("int");
  assertEquals(mergeAll(parse(blob), parse(deepestFirst)).length, 100_001);
});

Deno.test("BtfMerger.alias() makes an extern function the one that another file defines", () => {
  const file = (linkage: number): Blob => {
    const blob = new Blob();
    blob.int("int");
    blob.type("", BtfKind.FuncProto, { vlen: 1, sizeOrType: 1 }, blob.string(linkage === 1 ? "x" : ""), 1);
    blob.type("f", BtfKind.Func, { vlen: linkage, sizeOrType: 2 });
    return blob;
  };
  const merger = new BtfMerger();
  const user = merger.append(parse(file(2)));
  const definer = merger.append(parse(file(1)));
  merger.alias(user.typeId(3), definer.typeId(3));
  const result = merger.finish();
  assertEquals(titles(Btf.parse(result.bytes)), ["Int int", "FuncProto", "FuncProto", "Func f"]);
  assertEquals([result.idOf(user.typeId(3)), result.idOf(definer.typeId(3))], [4, 4]);
});

Deno.test("BtfMerger.drop() leaves out variables and sections with their tags, and refuses what is in use", () => {
  const blob = everyKind();
  blob.type("of a variable", BtfKind.DeclTag, { sizeOrType: BtfKind.Var }, 0xffffffff);
  const btf = parse(blob);
  const merger = new BtfMerger();
  const input = merger.append(btf);
  assertThrows(() => merger.drop(input.typeId(BtfKind.Int)), FormatError, "only variables and sections");
  merger.drop(input.typeId(BtfKind.Var));
  assertThrows(() => merger.finish(), FormatError, "refers to merge id 14, which has been dropped");
  merger.drop(input.typeId(BtfKind.Datasec));
  const result = merger.finish();
  const merged = Btf.parse(result.bytes);
  assertEquals([merged.findIds("counter"), merged.findIds(".data"), merged.findIds("of a variable")], [[], [], []]);
  assertEquals([merged.typeCount, result.idOf(input.typeId(BtfKind.Var))], [btf.typeCount - 3, 0]);
});

Deno.test("BtfMerger.addDatasec() adds a section of variables of several inputs", () => {
  const merger = new BtfMerger();
  const inputs = ["a", "b"].map((name) => {
    const blob = new Blob();
    blob.int("int");
    blob.type(name, BtfKind.Var, { sizeOrType: 1 }, 1);
    return merger.append(parse(blob));
  });
  const entries = inputs.map((input, index) => ({ type: input.typeId(2), offset: index * 4, size: 4 }));
  const id = merger.addDatasec(".data", 8, entries);
  const result = merger.finish();
  const section = Btf.parse(result.bytes).find(".data", BtfKind.Datasec);
  assertEquals(section?.id, result.idOf(id));
  assertEquals(section?.entries.map(({ type, offset, size }) => [type.name, offset, size]), [["a", 0, 4], ["b", 4, 4]]);
});

Deno.test("BtfMerger leaves strings out that nobody asks for, and shares those of all", () => {
  const blob = new Blob();
  blob.string("a line of source that no type uses");
  blob.int("int");
  const lines = blob.string("asked for");
  const merger = new BtfMerger();
  const input = merger.append(parse(blob));
  const asked = input.stringOffset(lines);
  const tail = input.stringOffset(lines + "asked ".length);
  const added = merger.addString("int");
  const result = merger.finish();
  const merged = Btf.parse(result.bytes);
  const texts = [asked, tail, added].map((offset) => merged.string(result.stringOf(offset)));
  assertEquals(texts, ["asked for", "for", "int"]);
  assertEquals(merged.stringEnd, "\0int\0asked for\0for\0".length);
  assertEquals(result.stringOf(merger.addString("")), 0);
});

Deno.test("BtfMerger makes a split BTF and its base one", () => {
  const base = new Blob();
  base.int("int");
  const shared = base.string("shared");
  const split = new Blob({ base });
  split.type(shared, BtfKind.Typedef, { sizeOrType: 1 });
  split.struct("own", 8, ["a", 1, 0]);
  const kernel = parse(base);
  const merger = new BtfMerger();
  const modules = [0, 1].map(() => merger.append(Btf.parse(split.bytes(), { base: kernel })));
  const result = merger.finish();
  assertEquals(titles(Btf.parse(result.bytes)), ["Int int", "Typedef shared", "Struct own"]);
  assertEquals(modules.map((input) => result.idOf(input.typeId(1))), [1, 1]);
});

Deno.test("BtfMerger.append() names the type that refers to none, or is of a kind of the future, and takes nothing", () => {
  const merger = new BtfMerger();
  const bad = new Blob();
  bad.int("int");
  bad.type("", BtfKind.Ptr, { sizeOrType: 9 });
  assertThrows(() => merger.append(parse(bad, "bad.o")), FormatError, "bad.o: type id 2 refers to type id 9");
  const unnamed = new Blob();
  unnamed.type(1000, BtfKind.Fwd);
  assertThrows(() => merger.append(parse(unnamed)), FormatError, "string offset 1000 lies outside");
  const future = new Blob();
  future.type("x", 30);
  const layout = Array.from({ length: 31 * 4 }, () => 0);
  const newer = Btf.parse(future.bytes({ layout }), { what: "new.o" });
  assertThrows(() => merger.append(newer), UnsupportedError, "new.o: type id 1 has kind 30");
  assertEquals(merger.typeCount, 1);
  assertEquals(Btf.parse(merger.finish().bytes).typeCount, 1);
});

Deno.test("BtfMerger refuses ids that do not exist", () => {
  const merger = new BtfMerger();
  const input = merger.append(parse(everyKind()));
  assertThrows(() => input.typeId(20), FormatError, "type id 20 does not exist");
  assertThrows(() => merger.alias(1, 20), FormatError, "merge id 20 does not exist");
  assertThrows(() => merger.addString("a\0b"), FormatError, "NUL");
  assertThrows(() => input.stringOffset(5000), FormatError, "string offset 5000");
});

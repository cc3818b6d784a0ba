import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Btf, BtfBuilder, essentialName } from "../../../lib/btf/mod.ts";
import { FormatError } from "../../../lib/errors.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";
import { Blob } from "./blob.ts";
import { randomNumbers } from "../asm/random.ts";

function kernelAndModule(): { kernel: Btf; module: Btf } {
  const base = new Blob();
  base.int("int");
  const shared = base.string("shared");
  base.struct("task", 4, ["pid", 1, 0]);
  const split = new Blob({ base });
  split.type(shared, BtfKind.Typedef, { sizeOrType: 2 });
  split.struct("own", 16, ["task", 2, 0], ["self", 5, 64]);
  split.type("", BtfKind.Ptr, { sizeOrType: 4 });
  split.struct("task___mod", 8);
  split.struct("task", 8);
  const kernel = Btf.parse(base.bytes(), { what: "vmlinux" });
  return { kernel, module: Btf.parse(split.bytes(), { what: "mod", base: kernel }) };
}

Deno.test("A split Btf continues the ids and strings of its base", () => {
  const { kernel, module } = kernelAndModule();
  assertEquals([module.ownStartId, module.typeCount, module.base], [3, 8, kernel]);
  assertEquals([...module.types()].map((type) => [type.id, type.name]), [
    [1, "int"],
    [2, "task"],
    [3, "shared"],
    [4, "own"],
    [5, ""],
    [6, "task___mod"],
    [7, "task"],
  ]);
  assertEquals([...module.types(module.ownStartId)].map((type) => type.id), [3, 4, 5, 6, 7]);
  assertStrictEquals(module.type(2), kernel.type(2));
  const own = module.find("own", BtfKind.Struct);
  assertEquals(own?.members.map((member) => [member.name, member.type.id]), [["task", 2], ["self", 5]]);
  assertEquals([module.kindOf(2), module.kindOf(5)], [BtfKind.Struct, BtfKind.Ptr]);
  assertEquals([module.nameOf(2), module.nameOf(4)], ["task", "own"]);
});

Deno.test("A split Btf finds the base's types first, and own types by a name that the base holds", () => {
  const { module } = kernelAndModule();
  for (let round = 0; round < 2; round++) {
    assertEquals(module.findIds("task"), [2, 7]);
    assertEquals(module.find("task")?.id, 2);
    assertEquals(module.findIds("shared"), [3]);
    assertEquals(module.find("shared", BtfKind.Typedef)?.id, 3);
    assertEquals(module.find("shared", BtfKind.Struct), undefined);
    // Builds the index: the second round is answered by it.
    assertEquals(module.findEssential("task"), [2, 6, 7]);
    assertEquals(module.findEssential("shared"), [3]);
    assertEquals(module.findEssential("shared", BtfKind.Typedef), [3]);
  }
});

Deno.test("A split Btf of 24 bytes, without types and strings, is valid", () => {
  const { kernel } = kernelAndModule();
  const bytes = new Blob({ base: new Blob() }).bytes();
  assertEquals(bytes.length, 24);
  const empty = Btf.parse(bytes, { base: kernel });
  assertEquals([empty.typeCount, [...empty.types()].length, empty.find("nobody")], [3, 2, undefined]);
  assertEquals(empty.find("task")?.id, 2);
});

Deno.test("Btf.parse() refuses a base of another byte order", () => {
  const base = Btf.parse(new Blob().bytes());
  assertThrows(() => Btf.parse(new Blob({ order: "big" }).bytes(), { base }), FormatError, "big-endian but its base");
});

Deno.test("A split Btf without its base reads what needs no base, and says where it ends", () => {
  const base = new Blob();
  base.int("int");
  const split = new Blob({ base });
  split.struct("own", 8);
  // Without a base the strings would have to start with the empty one.
  assertThrows(() => Btf.parse(split.bytes()), FormatError, "does not start with the empty string");
});

Deno.test("BtfBuilder flattens a split Btf", () => {
  const { module } = kernelAndModule();
  const own = module.find("own", BtfKind.Struct);
  assert(own !== undefined);
  const builder = new BtfBuilder();
  builder.add(own);
  const flat = Btf.parse(builder.encode());
  const copy = flat.find("own", BtfKind.Struct);
  assertEquals(copy?.members.map((member) => [member.name, member.type.name]), [["task", "task"], ["self", ""]]);
  assertEquals(flat.typeCount, 5);
});

Deno.test("A split Btf finds all types of a name, its base's and its own, of one kind and of all, flavours too", () => {
  const next = randomNumbers(6);
  const names = ["", "task", "task___v1", "task___v2___old", "tas", "page", "page___v1", "int"];
  const kinds = [BtfKind.Struct, BtfKind.Func, BtfKind.Typedef];
  const known: { name: string; kind: BtfKind }[] = [{ name: "", kind: BtfKind.Unknown }];
  const fill = (blob: Blob): Blob => {
    for (let i = 0; i < 300; i++) {
      const type = { name: names[next() % names.length]!, kind: kinds[next() % kinds.length]! };
      blob.type(type.name, type.kind, { sizeOrType: type.kind === BtfKind.Struct ? 8 : 0 });
      known.push(type);
    }
    return blob;
  };
  const below = fill(new Blob());
  const middle = fill(new Blob({ base: below }));
  const top = fill(new Blob({ base: middle }));
  const btf = Btf.parse(top.bytes(), { base: Btf.parse(middle.bytes(), { base: Btf.parse(below.bytes()) }) });
  assertEquals(btf.typeCount, known.length);
  const ids = (wanted: (type: { name: string; kind: BtfKind }) => boolean) =>
    known.flatMap((type, id) => type.name !== "" && wanted(type) ? [id] : []);
  // Scanned first, by the index later.
  for (let round = 0; round < 4; round++) {
    for (const name of [...names.slice(1), "nobody", "pag"]) {
      assertEquals(btf.findIds(name), ids((type) => type.name === name));
      assertEquals(btf.find(name)?.id, ids((type) => type.name === name)[0]);
      assertEquals(btf.findEssential(name), ids((type) => essentialName(type.name) === name));
      for (const kind of kinds) {
        assertEquals(btf.findIds(name, kind), ids((type) => type.name === name && type.kind === kind));
        const flavours = ids((type) => essentialName(type.name) === name && type.kind === kind);
        assertEquals(btf.findEssential(name, kind), flavours);
      }
    }
  }
});

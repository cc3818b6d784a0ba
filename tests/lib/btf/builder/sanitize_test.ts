import { assert, assertEquals } from "@std/assert";
import { Btf, BTF_FEATURES, type BtfFeature, sanitizeBtf } from "../../../../lib/btf/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { Blob, everyKind } from "../blob.ts";

const ALL = new Set(Object.keys(BTF_FEATURES) as BtfFeature[]);

for (const order of ["little", "big"] as const) {
  Deno.test(`sanitizeBtf() replaces what a kernel lacks and keeps all ids, ${order}-endian`, () => {
    const bytes = everyKind(order).bytes();
    const before = Btf.parse(bytes);
    const after = Btf.parse(sanitizeBtf(bytes, ALL));
    const changed: Record<number, BtfKind> = {
      [BtfKind.Float]: BtfKind.Struct,
      [BtfKind.DeclTag]: BtfKind.Int,
      [BtfKind.TypeTag]: BtfKind.Const,
      [BtfKind.Enum64]: BtfKind.Union,
      [BtfKind.Func]: BtfKind.Typedef,
      [BtfKind.FuncProto]: BtfKind.Enum,
      [BtfKind.Var]: BtfKind.Int,
      [BtfKind.Datasec]: BtfKind.Struct,
    };
    for (const { id, kind } of before.types()) assertEquals(after.kindOf(id), changed[kind] ?? kind);
    assertEquals(after.order, order);

    const section = after.type(BtfKind.Datasec);
    assert(section.kind === BtfKind.Struct);
    assertEquals([section.name, section.size], ["_data", 8]);
    assertEquals(section.members.map((m) => [m.name, m.type.id, m.offsetBits]), [["counter", BtfKind.Var, 32]]);
    const variable = after.type(BtfKind.Var);
    assert(variable.kind === BtfKind.Int);
    assertEquals([variable.name, variable.size, variable.bits], ["counter", 1, 8]);
    const proto = after.type(BtfKind.FuncProto);
    assert(proto.kind === BtfKind.Enum);
    assertEquals([proto.size, proto.values.map(({ name }) => name)], [4, ["x", ""]]);

    const float = after.type(BtfKind.Float);
    assert(float.kind === BtfKind.Struct);
    assertEquals([float.name, float.size, float.members.length], ["", 8, 0]);
    const tag = after.type(BtfKind.TypeTag);
    assert(tag.kind === BtfKind.Const);
    assertEquals([tag.name, tag.target.id], ["", 1]);
    const color = after.type(BtfKind.Enum);
    assert(color.kind === BtfKind.Enum);
    assertEquals([color.signed, color.values.length], [false, 2]);
    const wide = after.type(BtfKind.Enum64);
    assert(wide.kind === BtfKind.Union);
    assertEquals([wide.name, wide.size, after.typeCount], ["wide", 8, before.typeCount + 1]);
    assertEquals(wide.members.map((m) => [m.name, m.type.name, m.offsetBits]), [["MIN", "enum64_placeholder", 0]]);
  });
}

Deno.test("sanitizeBtf() for a kernel that lacks nothing changes nothing", () => {
  const bytes = everyKind().bytes();
  assertEquals(sanitizeBtf(bytes, new Set()), bytes);
});

Deno.test("sanitizeBtf() replaces only what is missing", () => {
  const after = Btf.parse(sanitizeBtf(everyKind().bytes(), new Set<BtfFeature>(["float"])));
  const kinds = [...after.types()].map((type) => type.kind);
  assertEquals(kinds.filter((kind, index) => kind !== index + 1), [BtfKind.Struct]);
});

Deno.test("sanitizeBtf() makes global functions static where only that is missing", () => {
  const after = Btf.parse(sanitizeBtf(everyKind().bytes(), new Set<BtfFeature>(["globalFunc"])));
  const func = after.type(BtfKind.Func);
  assert(func.kind === BtfKind.Func);
  assertEquals([func.name, func.linkage, func.target.kind], ["run", "static", BtfKind.FuncProto]);
});

Deno.test("sanitizeBtf() takes the question mark out of a section's name where only that is missing", () => {
  const blob = new Blob();
  blob.int("int");
  blob.type("counter", BtfKind.Var, { sizeOrType: 1 }, 1);
  blob.type("?.struct_ops", BtfKind.Datasec, { vlen: 1, sizeOrType: 4 }, 2, 0, 4);
  blob.type("?.struct_ops.link", BtfKind.Datasec, { vlen: 1, sizeOrType: 4 }, 2, 0, 4);
  blob.type("?.struct_ops", BtfKind.Datasec, { vlen: 1, sizeOrType: 4 }, 2, 0, 4);
  const after = Btf.parse(sanitizeBtf(blob.bytes(), new Set<BtfFeature>(["optionalSection"])));
  const names = [...after.types()].map(({ name }) => name);
  assertEquals(names, ["int", "counter", "_.struct_ops", "_.struct_ops.link", "_.struct_ops"]);
});

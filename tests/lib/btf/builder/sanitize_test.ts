import { assert, assertEquals } from "@std/assert";
import { Btf, BTF_FEATURES, type BtfFeature, sanitizeBtf } from "../../../../lib/btf/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { everyKind } from "../blob.ts";

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
    };
    for (const { id, kind } of before.types()) assertEquals(after.kindOf(id), changed[kind] ?? kind);
    assertEquals(after.order, order);

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

import { assert, assertEquals, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Btf, type BtfType } from "../../../../lib/btf/mod.ts";
import { FormatError } from "../../../../lib/errors.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { Blob, everyKind } from "../blob.ts";

function typed<K extends BtfKind>(btf: Btf, kind: K): Extract<BtfType, { kind: K }> {
  const type = btf.type(kind);
  assert(isKind(type, kind), `type ${kind} is of kind ${type.kind}`);
  return type;
}

function isKind<K extends BtfKind>(type: BtfType, kind: K): type is Extract<BtfType, { kind: K }> {
  return type.kind === kind;
}

for (const order of ["little", "big"] as const) {
  Deno.test(`Btf.type() decodes every kind, ${order}-endian`, () => {
    const btf = Btf.parse(everyKind(order).bytes());
    assertEquals(btf.typeCount, 20);

    const int = typed(btf, BtfKind.Int);
    assertEquals([int.name, int.size, int.bits, int.offsetBits], ["int", 4, 32, 0]);
    assertEquals([int.signed, int.char, int.bool], [true, false, false]);
    assertEquals(typed(btf, BtfKind.Ptr).target.name, "node");
    const array = typed(btf, BtfKind.Array);
    assertEquals([array.element.id, array.index.id, array.length], [1, 1, 16]);

    const struct = typed(btf, BtfKind.Struct);
    assertEquals(struct.size, 16);
    assertEquals(
      struct.members.map((m) => [m.name, m.type.id, m.offsetBits, m.bitfieldBits]),
      [["next", 2, 0, 0], ["id", 1, 64, 0]],
    );
    const union = typed(btf, BtfKind.Union);
    assertEquals([union.size, union.members.length, union.members[0]?.name], [4, 1, "a"]);

    const color = typed(btf, BtfKind.Enum);
    assertEquals([color.size, color.signed], [4, true]);
    assertEquals(color.values, [{ name: "RED", value: 1 }, { name: "N", value: -1 }]);
    const wide = typed(btf, BtfKind.Enum64);
    assertEquals([wide.size, wide.signed], [8, true]);
    assertEquals(wide.values, [{ name: "MIN", value: -0x7fffffffffffffffn }]);

    assertEquals(typed(btf, BtfKind.Fwd).union, true);
    assertEquals(typed(btf, BtfKind.Typedef).target, int);
    assertEquals(typed(btf, BtfKind.Volatile).target.id, 8);
    assertEquals(typed(btf, BtfKind.Const).target.id, 9);
    assertEquals(typed(btf, BtfKind.Restrict).target.id, 2);

    const func = typed(btf, BtfKind.Func);
    assertEquals([func.linkage, func.target.id], ["global", 13]);
    const proto = typed(btf, BtfKind.FuncProto);
    assertEquals(proto.returns, int);
    assertEquals(proto.params.map((p) => [p.name, p.type.id]), [["x", 2], ["", 0]]);

    const variable = typed(btf, BtfKind.Var);
    assertEquals([variable.linkage, variable.target.id], ["extern", 1]);
    const section = typed(btf, BtfKind.Datasec);
    assertEquals(section.size, 8);
    assertEquals(section.entries.map((e) => [e.type.id, e.offset, e.size]), [[14, 4, 4]]);

    assertEquals(typed(btf, BtfKind.Float).size, 8);
    const tag = typed(btf, BtfKind.DeclTag);
    assertEquals([tag.name, tag.target.id, tag.componentIndex, tag.attribute], ["a word", 4, -1, false]);
    const typeTag = typed(btf, BtfKind.TypeTag);
    assertEquals([typeTag.name, typeTag.target.id, typeTag.attribute], ["user", 1, true]);
  });
}

Deno.test("Btf.type() gives the same object each time, also through references and cycles", () => {
  const btf = Btf.parse(everyKind().bytes());
  const struct = typed(btf, BtfKind.Struct);
  const pointer = struct.members[0]?.type;
  assert(pointer?.kind === BtfKind.Ptr);
  assertStrictEquals(pointer.target, struct);
  assertStrictEquals(struct.members, struct.members);
});

Deno.test("Btf.type() 0 is void", () => {
  const btf = Btf.parse(new Blob().bytes());
  assertEquals(btf.type(0), { kind: BtfKind.Unknown, id: 0, name: "" });
  assertEquals([btf.typeCount, btf.nameOf(0), btf.kindOf(0)], [1, "", BtfKind.Unknown]);
});

Deno.test("Btf.type() of a struct with the kind flag splits offset and bitfield width", () => {
  const blob = new Blob();
  const int = blob.int("int");
  const words = [blob.string("a"), int, 3 << 24 | 7, blob.string("b"), int, 32];
  blob.type("s", BtfKind.Struct, { vlen: 2, sizeOrType: 8, flag: true }, ...words);
  const struct = Btf.parse(blob.bytes()).find("s", BtfKind.Struct);
  assertEquals(struct?.members.map((m) => [m.offsetBits, m.bitfieldBits]), [[7, 3], [32, 0]]);
});

Deno.test("Btf.type() of a legacy bitfield leaves width and offset to the int", () => {
  const blob = new Blob();
  const bits = blob.type("unsigned int", BtfKind.Int, { sizeOrType: 4 }, 5 << 16 | 3);
  blob.struct("s", 4, ["a", bits, 0x1000020]);
  const member = Btf.parse(blob.bytes()).find("s", BtfKind.Struct)?.members[0];
  assertEquals([member?.offsetBits, member?.bitfieldBits], [0x1000020, 0]);
  assert(member?.type.kind === BtfKind.Int);
  assertEquals([member.type.offsetBits, member.type.bits], [5, 3]);
});

Deno.test("Btf.type() of an unsigned enum gives values from 0 to 2^32 - 1", () => {
  const blob = new Blob();
  blob.type("e", BtfKind.Enum, { vlen: 1, sizeOrType: 4 }, blob.string("MAX"), 0xffffffff);
  assertEquals(Btf.parse(blob.bytes()).find("e", BtfKind.Enum)?.values, [{ name: "MAX", value: 0xffffffff }]);
});

Deno.test("Btf.type() refuses sizes, bits and linkages that cannot be", () => {
  const cases: [number, string, number, number, number[]][] = [
    [BtfKind.Int, "int of 3 bytes", 0, 3, [24]],
    [BtfKind.Int, "int of 33 bits at bit 0 does not fit", 0, 4, [33]],
    [BtfKind.Int, "int of 8 bits at bit 31 does not fit", 0, 4, [31 << 16 | 8]],
    [BtfKind.Enum, "enum of 5 bytes", 0, 5, []],
    [BtfKind.Enum64, "enum64 of 16 bytes", 0, 16, []],
    [BtfKind.Float, "float of 3 bytes", 0, 3, []],
    [BtfKind.Func, "linkage 3", 3, 0, []],
    [BtfKind.Var, "linkage 7", 0, 0, [7]],
  ];
  for (const [kind, reason, vlen, sizeOrType, trailer] of cases) {
    const blob = new Blob();
    blob.type("t", kind, { vlen, sizeOrType }, ...trailer);
    const error = assertThrows(() => Btf.parse(blob.bytes(), { what: "x.btf" }).type(1), FormatError);
    assertStringIncludes(error.message, "x.btf: type id 1 at offset 0: " + reason);
  }
});

Deno.test("A reference to a type that doesn't exist is an error when it is followed", () => {
  const blob = new Blob();
  blob.type("", BtfKind.Ptr, { sizeOrType: 99 });
  const pointer = Btf.parse(blob.bytes(), { what: "x.btf" }).type(1);
  assert(pointer.kind === BtfKind.Ptr);
  assertThrows(() => pointer.target, FormatError, "x.btf: type id 99 does not exist: ids end at 1");
});

Deno.test("Btf.type() refuses ids that are no ids", () => {
  const btf = Btf.parse(everyKind().bytes());
  for (const id of [-1, 0.5, NaN, 20, 2 ** 32]) {
    assertThrows(() => btf.type(id), FormatError, "does not exist");
    assertThrows(() => btf.kindOf(id), FormatError, "does not exist");
    assertThrows(() => btf.nameOf(id), FormatError, "does not exist");
  }
});

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { HOST_BYTE_ORDER } from "../../../../lib/bytes.ts";
import {
  Btf,
  BtfBuilder,
  type BtfType,
  type DatasecType,
  type IntType,
  type PtrType,
  type StructType,
  type TypedefType,
  type VarType,
} from "../../../../lib/btf/mod.ts";
import { FormatError } from "../../../../lib/errors.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { Blob, everyKind } from "../blob.ts";

const INT: IntType = {
  kind: BtfKind.Int,
  id: 0,
  name: "int",
  size: 4,
  signed: true,
  char: false,
  bool: false,
  offsetBits: 0,
  bits: 32,
};

/** A type as text in which what it refers to is given by `idOf`. */
function show(type: BtfType, idOf: (type: BtfType) => number): string {
  const fields: unknown[] = [type.kind, type.name];
  switch (type.kind) {
    case BtfKind.Int:
      fields.push(type.size, type.signed, type.char, type.bool, type.offsetBits, type.bits);
      break;
    case BtfKind.Array:
      fields.push(idOf(type.element), idOf(type.index), type.length);
      break;
    case BtfKind.Struct:
    case BtfKind.Union:
      fields.push(type.size, type.members.map((m) => [m.name, idOf(m.type), m.offsetBits, m.bitfieldBits]));
      break;
    case BtfKind.Enum:
    case BtfKind.Enum64:
      fields.push(type.size, type.signed, type.values.map((v) => [v.name, `${v.value}`]));
      break;
    case BtfKind.Fwd:
      fields.push(type.union);
      break;
    case BtfKind.FuncProto:
      fields.push(idOf(type.returns), type.params.map((p) => [p.name, idOf(p.type)]));
      break;
    case BtfKind.Datasec:
      fields.push(type.size, type.entries.map((e) => [idOf(e.type), e.offset, e.size]));
      break;
    case BtfKind.Float:
      fields.push(type.size);
      break;
    case BtfKind.Unknown:
      break;
    default:
      fields.push(idOf(type.target));
      if (type.kind === BtfKind.Func || type.kind === BtfKind.Var) fields.push(type.linkage);
      if (type.kind === BtfKind.DeclTag) fields.push(type.componentIndex);
      if (type.kind === BtfKind.DeclTag || type.kind === BtfKind.TypeTag) fields.push(type.attribute);
  }
  return JSON.stringify(fields);
}

for (const order of ["little", "big"] as const) {
  Deno.test(`BtfBuilder writes every kind as it was read, ${order}-endian`, () => {
    const source = Btf.parse(everyKind(order).bytes());
    const builder = new BtfBuilder({ order });
    const ids = new Map([...source.types()].map((type) => [type.id, builder.add(type)]));
    const bytes = builder.encode();
    assertEquals(bytes.length, builder.size);

    const copy = Btf.parse(bytes);
    assertEquals([copy.order, copy.typeCount, builder.typeCount], [order, source.typeCount, source.typeCount]);
    for (const type of source.types()) {
      const id = ids.get(type.id);
      assert(id !== undefined);
      assertEquals(show(copy.type(id), (t) => t.id), show(type, (t) => t.id === 0 ? 0 : ids.get(t.id) ?? -1));
    }
  });
}

Deno.test("BtfBuilder.add() takes what a type refers to, and no more", () => {
  const source = Btf.parse(everyKind().bytes());
  const builder = new BtfBuilder();
  builder.add(source.type(BtfKind.Struct));
  const copy = Btf.parse(builder.encode());
  const kinds = [...copy.types()].map((type) => type.kind);
  // The struct, a pointer to the typedef'd struct (id 4 is the struct itself), and int.
  assertEquals(kinds.toSorted((a, b) => a - b), [BtfKind.Int, BtfKind.Ptr, BtfKind.Struct]);
  assert(builder.has(source.type(BtfKind.Ptr)) && !builder.has(source.type(BtfKind.Union)));
});

Deno.test("BtfBuilder.add() gives one object one id, and equal objects two", () => {
  const builder = new BtfBuilder();
  const first = builder.add(INT);
  assertEquals(builder.add(INT), first);
  assertNotEquals(builder.add({ ...INT }), first);
  assertEquals(builder.add({ kind: BtfKind.Unknown, id: 0, name: "" }), 0);
  assertEquals(builder.typeCount, 3);
});

Deno.test("BtfBuilder puts all that a section's variables use before the section", () => {
  const node: { -readonly [K in keyof StructType]: StructType[K] } = {
    kind: BtfKind.Struct,
    id: 0,
    name: "node",
    size: 8,
    members: [],
  };
  const pointer: PtrType = { kind: BtfKind.Ptr, id: 0, name: "", target: node };
  node.members = [{ name: "next", type: pointer, offsetBits: 0, bitfieldBits: 0 }];
  const alias: TypedefType = { kind: BtfKind.Typedef, id: 0, name: "node_t", target: node };
  const variable: VarType = { kind: BtfKind.Var, id: 0, name: "root", target: alias, linkage: "global" };
  const section: DatasecType = {
    kind: BtfKind.Datasec,
    id: 0,
    name: ".data",
    size: 8,
    entries: [{ type: variable, offset: 0, size: 8 }],
  };
  const builder = new BtfBuilder();
  const id = builder.add(section);
  assertEquals(id, builder.typeCount - 1);
  const copy = Btf.parse(builder.encode()).type(id);
  assert(copy.kind === BtfKind.Datasec);
  assertEquals(copy.entries.map((entry) => [entry.type.name, entry.offset, entry.size]), [["root", 0, 8]]);
  assertEquals(builder.add(section), id);
});

Deno.test("BtfBuilder survives cycles that no compiler makes", () => {
  const blob = new Blob();
  blob.type("a", BtfKind.Typedef, { sizeOrType: 1 });
  blob.type(".data", BtfKind.Datasec, { vlen: 1, sizeOrType: 4 }, 2, 0, 4);
  const source = Btf.parse(blob.bytes());
  const builder = new BtfBuilder();
  assertEquals([...source.types()].map((type) => builder.add(type)), [1, 2]);
  assertEquals(Btf.parse(builder.encode()).typeCount, 3);
});

Deno.test("BtfBuilder follows long chains without running out of stack", () => {
  const blob = new Blob();
  const last = 50_000;
  for (let id = 1; id < last; id++) blob.type("", BtfKind.Ptr, { sizeOrType: id + 1 });
  blob.int("int");
  const builder = new BtfBuilder();
  builder.add(Btf.parse(blob.bytes()).type(1));
  assertEquals(builder.typeCount, last + 1);
});

Deno.test("BtfBuilder.addString() keeps each string once, with those of types", () => {
  const builder = new BtfBuilder();
  assertEquals(builder.addString(""), 0);
  const offset = builder.addString("größe");
  assertEquals(builder.addString("größe"), offset);
  const size = builder.size;
  builder.add({ ...INT, name: "größe" });
  assertEquals(builder.size, size + 16);
  const btf = Btf.parse(builder.encode());
  assertEquals([btf.string(offset), btf.type(1).name], ["größe", "größe"]);
  assertThrows(() => builder.addString("a\0b"), FormatError, "has a NUL inside");
});

Deno.test("BtfBuilder.encode() may be called again after more was added", () => {
  const builder = new BtfBuilder();
  assertEquals(builder.order, HOST_BYTE_ORDER);
  assertEquals(Btf.parse(builder.encode()).typeCount, 1);
  for (let i = 0; i < 200; i++) builder.add({ ...INT, name: `int${i}` });
  const btf = Btf.parse(builder.encode());
  assertEquals([btf.typeCount, btf.type(200).name], [201, "int199"]);
});

Deno.test("BtfBuilder refuses what BTF cannot say", () => {
  const far: StructType = {
    kind: BtfKind.Struct,
    id: 0,
    name: "far",
    size: 0x1000000,
    members: [{ name: "bit", type: INT, offsetBits: 0x1000000, bitfieldBits: 1 }],
  };
  assertThrows(() => new BtfBuilder().add(far), FormatError, 'member "bit" at bit 16777216 is too far');
});

Deno.test("BtfBuilder.add() that fails adds nothing", () => {
  const blob = new Blob();
  const dangling = blob.type("", BtfKind.Ptr, { sizeOrType: 99 });
  const broken = blob.struct("broken", 8, ["good", blob.nextId + 1, 0], ["bad", dangling, 0]);
  blob.int("int");
  const source = Btf.parse(blob.bytes());
  const builder = new BtfBuilder();
  builder.add(INT);
  assertThrows(() => builder.add(source.type(broken)), FormatError, "type id 99 does not exist");
  assertEquals([builder.typeCount, builder.has(source.type(broken)), builder.has(source.type(3))], [2, false, false]);
  assertEquals(builder.add(source.type(3)), 2);
  assertEquals([...Btf.parse(builder.encode()).types()].map((type) => type.name), ["int", "int"]);
});

Deno.test("BtfBuilder keeps legacy bitfields, whose offsets have 32 bits", () => {
  const blob = new Blob();
  const bits = blob.type("unsigned int", BtfKind.Int, { sizeOrType: 4 }, 5 << 16 | 3);
  const struct = blob.struct("s", 4, ["a", bits, 0x1000020]);
  const builder = new BtfBuilder();
  const id = builder.add(Btf.parse(blob.bytes()).type(struct));
  const copy = Btf.parse(builder.encode()).type(id);
  assert(copy.kind === BtfKind.Struct && copy.members[0]?.type.kind === BtfKind.Int);
  assertEquals([copy.members[0].offsetBits, copy.members[0].bitfieldBits], [0x1000020, 0]);
  assertEquals([copy.members[0].type.offsetBits, copy.members[0].type.bits], [5, 3]);
});

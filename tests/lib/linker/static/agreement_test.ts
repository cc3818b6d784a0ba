import { assertEquals, assertThrows } from "@std/assert";
import type { BtfType } from "../../../../lib/btf/mod.ts";
import { STT } from "../../../../lib/elf/mod.ts";
import { LinkError } from "../../../../lib/errors.ts";
import { differenceOf } from "../../../../lib/linker/static/type_difference.ts";
import { BpfMapType, BtfKind } from "../../../../lib/uapi/mod.ts";
import {
  array,
  constant,
  enumeration,
  float,
  func,
  fwd,
  member,
  proto,
  ptr,
  S32,
  S64,
  struct,
  typedef,
  U32,
  U64,
  union,
  VOID,
} from "../../core/types.ts";
import { datasec, variable } from "../../spec/btf_object.ts";
import { Linked, made } from "./objects.ts";

const point = struct("point", 8, [member("x", S32, 0), member("y", S32, 32)]);

const SAME: [string, BtfType, BtfType][] = [
  ["typedefs and modifiers", typedef("u32", U32), constant(U32)],
  ["signs", S32, U32],
  ["lengths of arrays", array(S32, 0), array(S32, 10)],
  ["names of parameters", proto(S32, U32), { ...proto(S32, U32), params: [{ name: "a", type: U32 }] }],
  ["a declaration behind a pointer", ptr(fwd("point")), ptr(point)],
  ["members behind a pointer", ptr(struct("point", 4, [member("z", S32, 0)])), ptr(point)],
  ["values of enums", enumeration("e", { A: 1 }), enumeration("e", { B: 2 })],
  ["extern and global", { ...variable("v", U32), linkage: "extern" as const }, variable("v", U32)],
  ["void", VOID, VOID],
];

for (const [what, left, right] of SAME) {
  Deno.test(`differenceOf() does not mind ${what}`, () => {
    assertEquals([differenceOf(left, right), differenceOf(right, left)], [undefined, undefined]);
  });
}

const moved = struct("point", 8, [member("x", S32, 32), member("y", S32, 0)]);
const DIFFERENT: [BtfType, BtfType, string][] = [
  [S32, S64, '"long" (8 bytes) instead of "int" (4 bytes)'],
  [S32, float("float", 4), '"float" (4 bytes) instead of "int" (4 bytes)'],
  [variable("v", U32), func("v", proto(U32)), "a function instead of a variable"],
  [point, struct("dot", 8, []), '"struct dot" instead of "struct point"'],
  [point, struct("point", 4, [member("x", S32, 0)]), "struct point has 1 members instead of 2"],
  [point, moved, 'struct point has member "x" at bit 32 instead of 0'],
  [point, fwd("point"), '"struct point" instead of "struct point"'],
  [
    point,
    struct("point", 8, [member("x", S32, 0), member("z", S32, 32)]),
    'struct point has a member "z" in the place of "y"',
  ],
  [
    struct("s", 8, [member("p", ptr(point), 0)]),
    struct("s", 8, [member("p", ptr(fwd("line")), 0)]),
    'struct s member "p": "struct line" instead of "struct point"',
  ],
  [ptr(fwd("u", true)), ptr(struct("u", 4, [])), '"struct u" instead of "union u"'],
  [ptr(union("u", 4, [])), ptr(fwd("v", true)), '"union v" instead of "union u"'],
  [enumeration("e", {}), enumeration("f", {}), '"enum f" (4 bytes) instead of "enum e" (4 bytes)'],
  [proto(S32, U32), proto(S32), "0 parameters instead of 1"],
  [proto(S32, U32), proto(S32, U64), 'parameter 1: "unsigned long" (8 bytes) instead of "unsigned int" (4 bytes)'],
  [proto(S32), proto(S64), 'returned value: "long" (8 bytes) instead of "int" (4 bytes)'],
];

for (const [left, right, reason] of DIFFERENT) {
  Deno.test(`differenceOf() says: ${reason}`, () => assertEquals(differenceOf(left, right)?.reason, reason));
}

Deno.test("differenceOf() ends on types that contain themselves", () => {
  const loop = (): BtfType => {
    const pointer = { kind: BtfKind.Ptr, id: 0, name: "", target: VOID as BtfType };
    pointer.target = pointer;
    return pointer;
  };
  assertEquals(differenceOf(loop(), loop())?.reason, "its type is too deep to compare");
});

const data = { name: ".data", bytes: new Uint8Array(8) };

function user(name: string, type: BtfType) {
  return made(name, { symbols: [{ name: "v" }], types: [variable("v", type, "extern")] });
}

Deno.test("linkObjects() names both objects of a type that differs, and shows both as C", () => {
  const owner = made("a.o", {
    sections: [data],
    symbols: [{ name: "v", type: STT.OBJECT, section: ".data", size: 8 }],
    types: [datasec(".data", { type: variable("v", constant(point)), size: 8 })],
  });
  for (const objects of [[owner, user("b.o", moved)], [user("b.o", moved), owner]]) {
    const error = assertThrows(() => new Linked(objects), LinkError);
    assertEquals(
      error.message.split("\n"),
      [
        'object "b.o": "v" is another than in object "a.o": struct point has member "x" at bit 32 instead of 0',
        '  object "a.o": struct point { int x; int y; }; const struct point v;',
        '  object "b.o": struct point { int x; int y; }; struct point v;',
      ],
    );
  }
  assertEquals(new Linked([owner, user("b.o", point)]).datasec(".data"), ["global v@0+8"]);
});

/** A map as `struct { __uint(type, ...); ... }`. */
function map(members: Record<string, number | BtfType>): BtfType {
  const list = Object.entries(members).map(([name, value], i) =>
    member(name, typeof value === "number" ? ptr(array(S32, value)) : value, i * 64)
  );
  return struct("", list.length * 8, list);
}

const hash = { type: BpfMapType.BPF_MAP_TYPE_HASH, max_entries: 16, key: ptr(U32), value: ptr(U64) };

function definesMap(name: string, type: BtfType, size: number) {
  return made(name, {
    sections: [{ name: ".maps", bytes: new Uint8Array(size) }],
    symbols: [{ name: "m", type: STT.OBJECT, section: ".maps", size }],
    types: [datasec(".maps", { type: variable("m", type), size })],
  });
}

function usesMap(name: string, type: BtfType) {
  return made(name, {
    symbols: [{ name: "m" }],
    types: [datasec(".maps", { type: variable("m", type, "extern"), size: 0 })],
  });
}

const MAPS: [Record<string, number | BtfType>, string][] = [
  [{ ...hash, type: BpfMapType.BPF_MAP_TYPE_ARRAY }, "type is 2 instead of 1"],
  [{ ...hash, max_entries: 8 }, "max_entries is 8 instead of 16"],
  [{ ...hash, key: ptr(U64) }, "key_size is 8 instead of 4"],
  [{ ...hash, value: ptr(U32) }, "value_size is 4 instead of 8"],
  [{ ...hash, value: ptr(point) }, 'the type of the value: "struct point" instead of "unsigned long" (8 bytes)'],
  [{ ...hash, map_flags: 1 }, "map_flags is 1 instead of 0"],
  [{ ...hash, map_extra: 3 }, "map_extra is 3 instead of 0"],
  [{ ...hash, numa_node: 1 }, "numa_node is 1 instead of 0"],
  [{ ...hash, pinning: 1 }, "pinning is by-name instead of none"],
];

for (const [members, reason] of MAPS) {
  Deno.test(`linkObjects() refuses an extern map that is another: ${reason}`, () => {
    const error = assertThrows(
      () => new Linked([definesMap("a.o", map(hash), 32), usesMap("b.o", map(members))]),
      LinkError,
    );
    assertEquals(error.message.split("\n")[0], `object "b.o": "m" is another than in object "a.o": ${reason}`);
    assertEquals(error.message.split("\n").length, 3);
  });
}

Deno.test("linkObjects() compares the maps inside of maps", () => {
  const outer = (inner: BtfType) =>
    map({
      type: BpfMapType.BPF_MAP_TYPE_ARRAY_OF_MAPS,
      max_entries: 2,
      key: ptr(U32),
      values: array(ptr(inner), 0),
    });
  const owner = definesMap("a.o", outer(map(hash)), 32);
  assertEquals(new Linked([owner, usesMap("b.o", outer(map(hash)))]).datasec(".maps"), ["global m@0+32"]);
  assertThrows(
    () => new Linked([owner, usesMap("b.o", outer(map({ ...hash, max_entries: 1 })))]),
    LinkError,
    "the maps inside: max_entries is 1 instead of 16",
  );
});

Deno.test("linkObjects() refuses a map that another object says is something else", () => {
  assertThrows(
    () => new Linked([definesMap("a.o", map(hash), 32), usesMap("b.o", U32)]),
    LinkError,
    'object "b.o": "m" is another than in object "a.o"',
  );
});

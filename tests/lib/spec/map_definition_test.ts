import { assertEquals, assertThrows } from "@std/assert";
import type { BtfType, IntType, Member, StructType } from "../../../lib/btf/mod.ts";
import { LinkError } from "../../../lib/errors.ts";
import { ringBufferSize } from "../../../lib/uapi/mod.ts";
import { readMapDefinition } from "../../../lib/spec/map_definition.ts";
import { BpfMapType, BtfKind } from "../../../lib/uapi/mod.ts";

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
const VOID: BtfType = { kind: BtfKind.Unknown, id: 0, name: "" };

const ptr = (target: BtfType): BtfType => ({ kind: BtfKind.Ptr, id: 0, name: "", target });
const array = (element: BtfType, length: number): BtfType => ({
  kind: BtfKind.Array,
  id: 0,
  name: "",
  element,
  index: INT,
  length,
});
const member = (name: string, type: BtfType): Member => ({ name, type, offsetBits: 0, bitfieldBits: 0 });
const uint = (name: string, value: number): Member => member(name, ptr(array(INT, value)));
const typed = (name: string, type: BtfType): Member => member(name, ptr(type));
const values = (type: BtfType): Member => member("values", array(ptr(type), 0));
const struct = (...members: Member[]): StructType => ({
  kind: BtfKind.Struct,
  id: 0,
  name: "",
  size: members.length * 8,
  members,
});
const proto: BtfType = { kind: BtfKind.FuncProto, id: 0, name: "", returns: INT, params: [] };

const read = (...members: Member[]) => readMapDefinition(struct(...members), { what: 'object "x.o"', name: "m" });
const HASH = uint("type", BpfMapType.BPF_MAP_TYPE_HASH);
const OUTER = uint("type", BpfMapType.BPF_MAP_TYPE_ARRAY_OF_MAPS);

Deno.test("readMapDefinition() reads every member", () => {
  const map = read(
    HASH,
    uint("max_entries", 256),
    uint("map_flags", 5),
    uint("numa_node", 1),
    typed("key", INT),
    typed("value", array(INT, 3)),
    uint("map_extra", 7),
    uint("pinning", 1),
  );
  assertEquals(map.name, "m");
  assertEquals([map.type, map.keySize, map.valueSize, map.maxEntries, map.flags], [1, 4, 12, 256, 5]);
  assertEquals([map.extra, map.numaNode, map.pinning], [7n, 1, "by-name"]);
  assertEquals(map.key, INT);
});

Deno.test("readMapDefinition() reads sizes without types, and a __ulong", () => {
  const enum64: BtfType = {
    kind: BtfKind.Enum64,
    id: 0,
    name: "",
    size: 8,
    signed: false,
    values: [{ name: "x", value: 1n << 44n }],
  };
  const map = read(HASH, uint("key_size", 8), uint("value_size", 16), member("map_extra", enum64));
  assertEquals([map.keySize, map.valueSize, map.extra], [8, 16, 1n << 44n]);
  assertEquals([map.key, map.value], [undefined, undefined]);
});

Deno.test("readMapDefinition() reads maps in maps and program arrays", () => {
  const inner = struct(HASH, uint("max_entries", 3), typed("key", INT), typed("value", INT));
  const outer = read(OUTER, uint("key_size", 4), values(inner));
  assertEquals(outer.valueSize, 4);
  assertEquals(outer.inner?.name, "m.inner");
  assertEquals(outer.inner?.maxEntries, 3);
  const programs = read(uint("type", BpfMapType.BPF_MAP_TYPE_PROG_ARRAY), uint("key_size", 4), values(proto));
  assertEquals([programs.valueSize, programs.inner], [4, undefined]);
});

Deno.test("readMapDefinition() names map and member of what it refuses", () => {
  const inner = struct(HASH);
  const cases: [Member[], string][] = [
    [[uint("max_entries", 1)], "has no type"],
    [[HASH, uint("max_entry", 1)], 'member "max_entry" is unknown'],
    [[HASH, member("max_entries", INT)], 'member "max_entries" must be declared as __uint(max_entries, ...)'],
    [[HASH, typed("max_entries", INT)], 'member "max_entries" must be declared as __uint(max_entries, ...)'],
    [[HASH, member("key", INT)], 'member "key" must be declared as __type(key, ...)'],
    [[HASH, typed("key", VOID)], 'member "key" has a type without a size ("void")'],
    [
      [HASH, uint("key_size", 8), typed("key", INT)],
      'member "key" says that the key has 4 bytes, another member says 8',
    ],
    [[HASH, typed("value", INT), uint("value_size", 2)], 'member "value_size" says that the value has 2 bytes'],
    [[HASH, uint("pinning", 2)], 'member "pinning" is 2'],
    [[HASH, values(inner)], "belongs to maps of maps and program arrays only, not to BPF_MAP_TYPE_HASH"],
    [[OUTER, values(inner), uint("max_entries", 1)], 'member "values" must be the last'],
    [[OUTER, typed("values", inner)], 'member "values" must be an array of no length'],
    [[OUTER, values(INT)], 'member "values" must be an array of pointers to a map definition'],
    [[OUTER, uint("value_size", 8), values(inner)], 'member "values" says that the value has 4 bytes'],
    [[OUTER, values(struct(OUTER, values(inner)))], 'map "m.inner": member "values" is not allowed'],
    [[OUTER, values(struct(HASH, uint("pinning", 1)))], 'map "m.inner": member "pinning" is not allowed'],
    [[uint("type", BpfMapType.BPF_MAP_TYPE_PROG_ARRAY), values(inner)], "must be an array of pointers to functions"],
  ];
  for (const [members, message] of cases) {
    const error = assertThrows(() => read(...members), LinkError, message);
    assertEquals(error.message.startsWith('object "x.o": map "m'), true, error.message);
  }
});

Deno.test("ringBufferSize() rounds up to a page times a power of two", () => {
  assertEquals([0, 1, 4096, 4097, 12288, 1 << 20].map((size) => ringBufferSize(size)), [
    0,
    4096,
    4096,
    8192,
    16384,
    1 << 20,
  ]);
  assertEquals(ringBufferSize(4096, 65536), 65536);
  assertEquals(ringBufferSize(0xf0000001), 0xf0000001);
});

Deno.test("readMapDefinition() rounds ring buffers only", () => {
  assertEquals(read(uint("type", BpfMapType.BPF_MAP_TYPE_RINGBUF), uint("max_entries", 5000)).maxEntries, 8192);
  assertEquals(read(HASH, uint("max_entries", 5000)).maxEntries, 5000);
});

/** Variables in an arena: where clang puts them, and arenas that do not hold them. */
import { assertEquals, assertThrows } from "@std/assert";
import { BPF_PSEUDO, Instruction, MAP, OPCODE } from "../../../lib/asm/mod.ts";
import { STT } from "../../../lib/elf/mod.ts";
import { LinkError } from "../../../lib/errors.ts";
import { arenaOffset, type CollectionSpec, readCollectionSpec } from "../../../lib/spec/mod.ts";
import { BpfMapType } from "../../../lib/uapi/mod.ts";
import { inRepository } from "../../support/mod.ts";
import { array, member, ptr, S32, struct, U32 } from "../core/types.ts";
import { btfBytes, datasec, variable } from "./btf_object.ts";
import { buildObject, code, func } from "./object_builder.ts";

function testdata(): CollectionSpec {
  return readCollectionSpec(Deno.readFileSync(inRepository("testdata/clang19/arena.bpf.o")), { name: "arena.bpf.o" });
}

Deno.test("readCollectionSpec(): arena: variables lie in the arena, others do not", () => {
  const { maps, variables } = testdata();
  assertEquals([...maps.keys()], ["arena", "arena.data"]);
  const { arena, data, extra } = maps.get("arena")!;
  assertEquals([arena?.data.length, arena?.offset, data, extra], [0x30, 0, undefined, 1n << 44n]);
  const places = [...variables.values()].map(({ name, map, offset, size }) => [name, map, offset, size]);
  assertEquals(places.sort(), [
    ["calls", "arena", 0x2c, 4],
    ["offset", "arena", 0x28, 4],
    ["plain", "arena.data", 0, 4],
    ["result", "arena", 0, 4],
    ["table", "arena", 8, 32],
  ]);
});

Deno.test("readCollectionSpec(): arena: variables are read and set in the arena's data", () => {
  const { maps, variables } = testdata();
  const table = variables.get("table")!;
  assertEquals(table.get(), [1n, 20n, 300n, 4000n]);
  table.set([9n, 0n, 0n, 0n]);
  assertEquals(maps.get("arena")?.arena?.data[8], 9);
});

Deno.test("readCollectionSpec(): arena: instructions count from the first variable", () => {
  const insns = testdata().programs.get("sum")!.instructions.filter((insn) => insn.get(MAP) === "arena");
  const loads = insns.filter(({ src }) => src === BPF_PSEUDO.MAP_VALUE).map(({ immHigh }) => immHigh);
  assertEquals([...new Set(loads)].sort((a, b) => a - b), [0, 8, 0x28, 0x2c]);
});

const uint = (name: string, value: number, at: number) => member(name, ptr(array(S32, value)), at * 64);
const arenaMap = (pages: number) =>
  struct("", 16, [uint("type", BpfMapType.BPF_MAP_TYPE_ARENA, 0), uint("max_entries", pages, 1)]);

/** Arenas of these sizes, and a section of `bytes` bytes of variables. */
function object(pages: readonly number[], bytes: number): Uint8Array {
  const names = pages.map((_, index) => `arena${index}`);
  const maps = pages.map((size, index) => ({ type: variable(names[index]!, arenaMap(size)), size: 16 }));
  const types = [datasec(".maps", ...maps), datasec(".addr_space.1", { type: variable("v", U32), size: 4 })];
  return buildObject(
    [
      code("xdp", [Instruction.of({ opcode: OPCODE.EXIT })]),
      ...(pages.length === 0 ? [] : [{ name: ".maps", bytes: new Uint8Array(pages.length * 16) }]),
      { name: ".addr_space.1", bytes: new Uint8Array(bytes) },
      { name: ".BTF", bytes: btfBytes(pages.length === 0 ? types.slice(1) : types), flags: 0 },
    ],
    [
      func("main", "xdp", 0, 1),
      ...names.map((name, index) => ({ name, type: STT.OBJECT, section: ".maps", value: index * 16, size: 16 })),
      { name: "v", type: STT.OBJECT, section: ".addr_space.1", value: 0, size: 4 },
    ],
  );
}

Deno.test("readCollectionSpec() rejects variables in an arena that is missing, too small, or one of several", () => {
  const read = (pages: readonly number[], bytes: number, pageSize?: number) => () =>
    readCollectionSpec(object(pages, bytes), pageSize === undefined ? {} : { pageSize });
  assertEquals(read([2], 8192)().maps.get("arena0")?.arena?.data.length, 8192);
  assertThrows(read([], 4), LinkError, "holds variables in an arena, but no map");
  assertThrows(read([1, 1], 4), LinkError, 'maps "arena0" and "arena1" are both arenas');
  assertThrows(read([2], 8193), LinkError, '8193 bytes do not fit map "arena0" of 2 pages: raise max_entries');
  assertEquals(read([1], 8193, 16384)().maps.size, 1);
});

Deno.test("arenaOffset() puts variables into the last pages, or to the start", () => {
  const map = readCollectionSpec(object([10], 5000)).maps.get("arena0")!;
  assertEquals([arenaOffset(map, 4096, true), arenaOffset(map, 16384, true), arenaOffset(map, 4096, false)], [
    8 * 4096,
    9 * 16384,
    0,
  ]);
});

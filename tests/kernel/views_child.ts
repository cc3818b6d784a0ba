/**
 * Views of mapped memory while memory is used up, moved and unmapped: run by map_view_test.ts with `--stress-compaction`. A fault
 * would end the process by a signal; what goes wrong otherwise is thrown.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BpfMap, Collection, type MapView } from "../../mod.ts";
import { BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import { mapSpec, U32 } from "./maps.ts";
import { args, objectSpec } from "./support.ts";

const { BPF_F_MMAPABLE } = BpfMapFlag;

/** Memory that is freed is taken by something else at once. */
function makeGarbage(): void {
  for (let i = 0; i < 10; i++) new Uint8Array(1 << 20).fill(0xee);
  for (let i = 0; i < 500; i++) new Uint8Array(i % 80 + 1).fill(0xee);
}

function array(maxEntries: number): BpfMap<number, number> {
  const spec = mapSpec({ type: BpfMapType.BPF_MAP_TYPE_ARRAY, maxEntries, flags: BPF_F_MMAPABLE });
  return BpfMap.create(spec).withCodecs({ key: U32, value: U32 });
}

function assertClosed(view: MapView<number>): void {
  assertThrows(() => view.get(0), TypeError, "no longer mapped");
  assertThrows(() => view.set(0, 1), TypeError, "no longer mapped");
  assertThrows(() => view.read(), TypeError, "no longer mapped");
  assertThrows(() => view.bytes, TypeError, "no longer mapped");
  assertThrows(() => view.at(0, { at() {} }), TypeError, "no longer mapped");
}

for (let round = 0; round < 40; round++) {
  using map = array(2000);
  const view = map.view();
  const { bytes } = view;
  const words = new DataView(bytes.buffer);
  map.set(7, round);
  view.set(8, round + 1);
  makeGarbage();
  assertEquals([view.get(7), map.get(8), words.getUint32(8 * 8, true)], [round, round + 1, round + 1]);
  // Memory outlives the map's file descriptor, not the view.
  map.close();
  assertEquals(view.get(7), round);
  view.close();
  makeGarbage();
  assertEquals([bytes.length, bytes[0], bytes.buffer.byteLength], [0, undefined, 0]);
  bytes[0] = 1;
  assertThrows(() => words.getUint32(0), TypeError);
  assertThrows(() => words.setUint32(0, 1), TypeError);
  assertClosed(view);
}

for (let round = 0; round < 20; round++) {
  using map = array(16);
  map.set(1, 5);
  map.freeze();
  using view = map.view();
  assert(view.readOnly);
  makeGarbage();
  assertEquals(view.get(1), 5);
  assertThrows(() => view.set(1, 6), TypeError, "can only be read");
  assertThrows(() => view.bytes, TypeError, "can only be read");
  assertThrows(() => view.at(0, { at: (memory: DataView) => memory.setUint8(0, 1) }), TypeError, "can only be read");
  const copy = view.read();
  copy[8] = 99;
  assertEquals(view.get(1), 5);
}

for (let round = 0; round < 10; round++) {
  const collection = Collection.load(objectSpec("clang19", "truth"));
  const variable = collection.variable("wide_value");
  const constant = collection.variable("factor");
  for (let i = 0; i < 20; i++) {
    variable.set(BigInt(i));
    makeGarbage();
    collection.program("globals").run({ ctx: args(4, 0) });
    assertEquals(variable.get(), BigInt(i + 1));
  }
  assertThrows(() => constant.set(1), TypeError);
  collection.close();
  makeGarbage();
  assertThrows(() => variable.get(), TypeError, "no longer mapped");
  assertThrows(() => constant.get(), TypeError, "no longer mapped");
}

for (let round = 0; round < 10; round++) {
  using arena = BpfMap.create(mapSpec({
    type: BpfMapType.BPF_MAP_TYPE_ARENA,
    keySize: 0,
    valueSize: 0,
    maxEntries: 8,
    flags: BPF_F_MMAPABLE,
  }));
  const view = arena.view();
  const { bytes } = view;
  bytes[5 * 4096] = round;
  makeGarbage();
  assertEquals(view.read(5 * 4096, 1)[0], round);
  view.close();
  assertEquals([bytes.length, bytes[5 * 4096]], [0, undefined]);
}
console.log("all views are right");

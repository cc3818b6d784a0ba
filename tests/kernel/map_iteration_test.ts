/**
 * Going through maps while their elements come and go, with batches and without.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BpfMap, sys } from "../../mod.ts";
import { BpfCmd, BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import { failBpf, inject } from "../ffi/sys/inject.ts";
import { needs } from "../support/mod.ts";
import { mapSpec, numbers, U32 } from "./maps.ts";

const BPF = needs({ bpf: true });
const N = 20_000;

/** Whole addresses as keys of an LPM trie. */
const ADDRESS = {
  size: 8,
  decode: (view: DataView, offset: number): number => view.getUint32(offset + 4),
  encode(address: number, view: DataView, offset: number): void {
    view.setUint32(offset, 32, true);
    view.setUint32(offset + 4, address);
  },
};

/** Keys up to `count`, each with its double. */
function filled(count = N): BpfMap<number, number> {
  const map = numbers({ maxEntries: count });
  map.setBatch(Array.from({ length: count }, (_, i) => [i, 2 * i] as const));
  return map;
}

/** Makes batches unknown, as before Linux 5.6. */
const withoutBatches = () =>
  inject(
    "bpf",
    (real) => (cmd, attr, size) =>
      cmd >= BpfCmd.BPF_MAP_LOOKUP_BATCH && cmd <= BpfCmd.BPF_MAP_DELETE_BATCH ? -22 : real(cmd, attr, size),
  );

Deno.test({
  name: "iterating gives each element once, by few system calls",
  ...BPF,
  fn() {
    using map = filled();
    let calls = 0;
    using _ = inject("bpf", (real) => (cmd, attr, size) => {
      calls++;
      return real(cmd, attr, size);
    });
    const seen = new Map(map);
    assertEquals([seen.size, [...seen].every(([key, value]) => value === 2 * key)], [N, true]);
    assert(calls < 20, `${calls} system calls`);
    assertEquals(map.entries().take(3).toArray().length, 3);
    assertEquals(new Set(map.keys()), new Set(seen.keys()));
    assertEquals(map.values().reduce((sum, value) => sum + value, 0), N * (N - 1));
    assertEquals(map.count(), N);
  },
});

for (const batches of [true, false]) {
  const how = batches ? "by batches" : "from key to key";
  Deno.test({
    name: `iterating ${how} while others delete sees once whatever stays, and ends`,
    ...BPF,
    fn() {
      using _ = batches ? { [Symbol.dispose]() {} } : withoutBatches();
      const count = batches ? N : 500;
      using map = filled(count);
      const seen: number[] = [];
      let victim = 1;
      for (const [key] of map) {
        seen.push(key);
        // Odd keys go, always also the one that was just seen; even ones stay.
        if (key % 2 === 1) map.delete(key);
        map.delete(victim);
        victim = (victim + 2) % count;
      }
      assertEquals(new Set(seen).size, seen.length);
      assertEquals(seen.filter((key) => key % 2 === 0).length, count / 2);
    },
  });

  Deno.test({
    name: `drain(), setBatch() and deleteBatch() ${how}`,
    ...BPF,
    fn() {
      using _ = batches ? { [Symbol.dispose]() {} } : withoutBatches();
      using map = numbers({ maxEntries: 100 });
      assertEquals(map.setBatch([[1, 10], [2, 20], [3, 30]]), 3);
      assertEquals(map.deleteBatch([9, 1, 8, 3, 7]), 2);
      assertEquals([...map], [[2, 20]]);
      if (!batches) return;
      assertEquals([map.drain(), map.count()], [[[2, 20]], 0]);
    },
  });
}

Deno.test({
  name: "a bucket that is larger than a batch is read nevertheless",
  ...BPF,
  fn() {
    using map = filled(64);
    let refused = 0;
    using _ = inject("bpf", (real) => (cmd, attr, size) => {
      if (cmd !== BpfCmd.BPF_MAP_LOOKUP_BATCH || refused === 3) return real(cmd, attr, size);
      refused++;
      return -28;
    });
    assertEquals([map.count(), refused], [64, 3]);
  },
});

Deno.test({
  name: "an LPM trie is read by batches, each element once, also when the cursor's key goes",
  ...BPF,
  fn() {
    const type = BpfMapType.BPF_MAP_TYPE_LPM_TRIE;
    const spec = mapSpec({ type, keySize: 8, flags: BpfMapFlag.BPF_F_NO_PREALLOC });
    using map = BpfMap.create(spec).withCodecs({ key: ADDRESS, value: U32 });
    map.set(1, 5);
    const seen: number[] = [];
    for (const [key] of map) {
      seen.push(key);
      map.delete(key);
      if (key < 5) map.set(key + 1, 0);
    }
    assertEquals(new Set(seen).size, seen.length);
  },
});

Deno.test({
  name: "a failing batch names the map, and leaves it as it is",
  ...BPF,
  fn() {
    using map = filled(8);
    {
      using _ = failBpf(BpfCmd.BPF_MAP_LOOKUP_BATCH, 12);
      const error = assertThrows(() => [...map], sys.SyscallError);
      assertEquals([error.code, error.message.startsWith('map "made_by_test": bpf(BPF_MAP_LOOKUP_BATCH)')], [
        "ENOMEM",
        true,
      ]);
    }
    assertEquals(map.count(), 8);
  },
});

Deno.test({
  name: "getInto() copies to bytes or lays a reader over the value; false leaves both",
  ...BPF,
  fn() {
    using map = filled(8);
    const bytes = new Uint8Array(4);
    assert(map.getInto(3, bytes));
    assertEquals(bytes, Uint8Array.of(6, 0, 0, 0));
    const reader = {
      value: -1,
      at: (view: DataView, offset: number) => void (reader.value = view.getUint32(offset, true)),
    };
    assert(map.getInto(4, reader));
    assertEquals(reader.value, 8);
    assertEquals([map.getInto(99, reader), map.getInto(99, bytes), reader.value, bytes[0]], [false, false, 8, 6]);
  },
});

Deno.test({
  name: "withCodecs() refuses codecs of another size",
  ...BPF,
  fn() {
    using map = numbers();
    const codec = { size: 8, decode: () => 0, encode() {} };
    assertThrows(
      () => map.withCodecs({ key: codec, value: codec }),
      RangeError,
      "its keys have 4 bytes, those of the codec 8",
    );
  },
});

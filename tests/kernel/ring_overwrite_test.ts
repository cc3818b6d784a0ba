/**
 * Ring buffers in overwrite mode, where the kernel has it.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Collection, OverwriteRing, RingBuffer, UnsupportedError } from "../../mod.ts";
import { BpfMapFlag } from "../../lib/uapi/mod.ts";
import { needs } from "../support/mod.ts";
import { objectSpec } from "./support.ts";
import { ringBytes } from "./ring_words.ts";

const OVERWRITE = needs({ bpf: true, btf: true, features: ["overwriteRing", "bpfLoop"] });

function load(): Collection {
  const spec = objectSpec("clang19", "ring_wraps");
  spec.maps.get("records")!.flags |= BpfMapFlag.BPF_F_RB_OVERWRITE;
  return Collection.load(spec);
}

function produce(collection: Collection, first: number, count: number): void {
  const ctx = new Uint8Array(Uint32Array.of(0, count, first, 0, 0).buffer);
  assertEquals(collection.program("produce").run({ ctx }).returnValue, 0);
}

Deno.test({
  name: "ring buffer in overwrite mode: the last records, in order, each as it was written; the rest is told in bytes",
  ...OVERWRITE,
  fn: async () => {
    using collection = load();
    using ring = new OverwriteRing(collection.map("records"));
    let next = 0;
    let bytes = 0;
    const read = () =>
      ring.drain((view, offset, length) => {
        const number = view.getUint32(offset, true);
        while (next < number) bytes += ringBytes(next++);
        assertEquals(length + 8 + 7 & ~7, ringBytes(number));
        let sum = number;
        for (let at = 12; at < length; at += 4) sum ^= view.getUint32(offset + at, true);
        assertEquals(sum >>> 0, view.getUint32(offset + 8, true));
        next = number + 1;
      });
    produce(collection, 0, 20);
    await ring.readable();
    assertEquals([read(), ring.lostBytes], [20, 0]);
    for (let first = 20; first < 20_000; first += 1000) {
      produce(collection, first, 1000);
      const count = read();
      assert(count > 50 && count < 1000, `${count}`);
      assertEquals([next, ring.lostBytes], [first + 1000, bytes]);
    }
  },
});

Deno.test({
  name: "ring buffer in overwrite mode: has a reader of its own",
  ...OVERWRITE,
  fn() {
    using collection = load();
    const map = collection.map("records");
    assertThrows(() => new RingBuffer(map), UnsupportedError, "use OverwriteRing");
    const ring = new OverwriteRing(map);
    assertThrows(() => new OverwriteRing(map), Error, "is being read already");
    produce(collection, 0, 3);
    assertEquals([ring.drain(() => ring.close()), ring.closed, ring.drain(() => {})], [3, true, 0]);
    ring.close();
  },
});

Deno.test({
  name: "OverwriteRing refuses a ring buffer that is not in overwrite mode",
  ...needs({ bpf: true, btf: true, features: ["bpfLoop"] }),
  fn() {
    using collection = Collection.load(objectSpec("clang19", "ring_wraps"));
    assertThrows(() => new OverwriteRing(collection.map("records")), UnsupportedError, "with BPF_F_RB_OVERWRITE");
  },
});

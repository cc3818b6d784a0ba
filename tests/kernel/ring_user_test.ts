/**
 * User ring buffers: records that a program takes. What the program does with them is told in testdata/user_ring.bpf.c.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Collection, compileCodec, type Value } from "../../mod.ts";
import { UnsupportedError, UserRingBuffer } from "../../mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { needs } from "../support/mod.ts";
import { COMPILERS, objectSpec } from "./support.ts";

interface Fixture {
  readonly collection: Collection;
  readonly ring: UserRingBuffer;
  /** Has the program take what is there; gives how many records that were. */
  readonly take: () => number;
  readonly value: (name: string) => Value;
}

for (const compiler of COMPILERS) {
  const test = (name: string, fn: (fixture: Fixture) => void | Promise<void>) =>
    Deno.test({
      name: `${compiler}/user ring buffer: ${name}`,
      ...needs({ bpf: true, btf: true, features: ["userRingBuffer"] }),
      fn: async () => {
        using collection = Collection.load(objectSpec(compiler, "user_ring"));
        using ring = new UserRingBuffer(collection.map("commands"));
        await fn({
          collection,
          ring,
          take: () => collection.program("take").run().returnValue,
          value: (name) => collection.variable(name).get(),
        });
      },
    });

  test("a program takes what was submitted, in order, and skips what was discarded", ({ ring, take, value }) => {
    assertEquals([take(), ring.usedBytes], [0, 0]);
    for (let i = 0; i < 5; i++) {
      const record = ring.reserve(16)!;
      assertEquals(record.byteLength, 16);
      record.setUint32(0, 7, true);
      record.setUint32(4, i < 3 ? 10 + i : 9 + i, true);
      record.setBigUint64(8, 0n);
      if (i === 3) ring.discard(record);
      else ring.submit(record);
    }
    assertEquals([take(), value("taken"), value("sum"), value("out_of_order")], [4, 4n, 46n, 0n]);
    assertEquals([ring.usedBytes, take()], [0, 0]);
  });

  test("values are sent by the codec of their type", ({ collection, ring, take, value }) => {
    const { type } = collection.spec.variables.get("last")!;
    const codec = compileCodec(type, { order: HOST_BYTE_ORDER });
    assert(ring.send({ kind: 3, value: 4, text: "hello" }, codec));
    assertEquals([take(), value("last")], [1, { kind: 3, value: 4, text: "hello" }]);
    assertThrows(() => ring.send({ kind: "three", value: 4, text: "" }, codec), TypeError);
    assert(ring.send({ kind: 3, value: 5, text: "again" }, codec));
    assertEquals([take(), value("last"), value("shorter")], [1, { kind: 3, value: 5, text: "again" }, 0n]);
  });

  test("the program stops at a record that is not ended", ({ ring, take, value }) => {
    const first = ring.reserve(16)!;
    assert(ring.write(new Uint8Array(8)));
    assertEquals([take(), ring.usedBytes], [0, 40]);
    ring.discard(first);
    assertEquals([take(), value("shorter"), ring.usedBytes], [1, 1n, 0]);
  });

  test("10,000 records of all sizes across 1,000 wraps: each arrives once, in order", ({ ring, take, value }) => {
    let sent = 0;
    let sum = 0;
    let taken = 0;
    while (sent < 10_000) {
      const length = 16 + sent * 7 % 900;
      const record = ring.reserve(length);
      if (record === undefined) {
        taken += take();
        continue;
      }
      record.setUint32(4, sent, true);
      sum += sent++;
      ring.submit(record);
    }
    taken += take();
    assertEquals([taken, value("taken"), value("sum")], [sent, BigInt(sent), BigInt(sum)]);
    assertEquals([value("out_of_order"), value("shorter")], [0n, 0n]);
  });

  test("a full ring has no room, and waits for it", async ({ ring, take }) => {
    let count = 0;
    while (ring.write(new Uint8Array(500))) count++;
    assertEquals([count, ring.usedBytes], [8, 4096 - 4096 % 512]);
    setTimeout(take, 5);
    await ring.writable(500);
    assert(ring.write(new Uint8Array(500)));
    assertEquals(take(), 1);
    await ring.writable(4088);
    assert(ring.write(new Uint8Array(4088)));
    const waiting = ring.writable(0);
    ring.close();
    await waiting;
  });

  test("what could never fit, and what is not reserved, is refused", async ({ collection, ring }) => {
    assertThrows(() => ring.reserve(4089), RangeError, "a record of 4089 bytes does not fit 4096 bytes");
    assertThrows(() => ring.reserve(-1), RangeError);
    await assertRejects(() => ring.writable(5000), RangeError);
    const record = ring.reserve(8)!;
    ring.submit(record);
    assertThrows(() => ring.submit(record), TypeError, "is not reserved, or was ended before");
    assertThrows(() => ring.discard(new DataView(new ArrayBuffer(8))), TypeError, "is not reserved");
    assertThrows(() => new UserRingBuffer(collection.map([...collection.maps.keys()][1]!)), UnsupportedError);
  });

  test("closing discards what is not ended; views on it die", ({ collection, ring, take }) => {
    const record = ring.reserve(16)!;
    ring.write(new Uint8Array(8));
    ring.close();
    ring.close();
    assertThrows(() => record.getUint8(0), TypeError);
    assertThrows(() => ring.reserve(8), TypeError, "is closed");
    assertEquals([take(), ring.usedBytes, ring.closed], [1, 0, true]);
    using again = new UserRingBuffer(collection.map("commands"));
    assert(again.write(new Uint8Array(16)));
    assertEquals(take(), 1);
  });
}

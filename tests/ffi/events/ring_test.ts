import { assert, assertEquals, assertThrows } from "@std/assert";
import { RingReader } from "../../../ffi/events/ring.ts";
import { randomNumbers, type Reserved, RingSimulator } from "./ring_simulator.ts";

const SIZE = 4096;

/** Both ways to read a header: plainly, and with Atomics where the machine does not keep loads in order. */
for (const ordered of [true, false]) {
  const way = ordered ? "plain" : "atomic";

  const start = (size = SIZE, position = 0n) => {
    const ring = new RingSimulator(size, position);
    const reader = new RingReader(ring.memory, { ordered });
    const read: number[][] = [];
    const keep = (view: DataView, offset: number, length: number): void => {
      read.push([...new Uint8Array(view.buffer, view.byteOffset + offset, length)]);
    };
    return { ring, reader, read, keep, drain: (limit?: number) => reader.drain(keep, limit) };
  };

  const test = (name: string, fn: () => void) => Deno.test(`RingReader, ${way} loads: ${name}`, fn);

  test("nothing there is no record, and no store", () => {
    const { ring, drain, reader } = start();
    assertEquals([drain(), reader.busy, ring.consumed], [0, false, 0n]);
  });

  test("records come in order with their lengths", () => {
    const { ring, drain, read } = start();
    for (let i = 0; i < 20; i++) ring.write(...Array.from({ length: i }, () => i));
    assertEquals(drain(), 20);
    assertEquals(read, Array.from({ length: 20 }, (_, i) => new Array(i).fill(i)));
    assertEquals([ring.used, drain()], [0, 0]);
  });

  test("a record that wraps is contiguous", () => {
    const { ring, drain, read } = start(64);
    assert(ring.write(...new Array(32).fill(1)));
    drain();
    const data = Array.from({ length: 40 }, (_, i) => i + 1);
    assert(ring.write(...data));
    drain();
    assertEquals(read[1], data);
  });

  test("a busy record stops the reader, also if those behind it are finished", () => {
    const { ring, reader, drain, read } = start();
    ring.write(1);
    const busy = ring.reserve(1)!;
    ring.write(3);
    assertEquals([drain(), reader.busy], [1, true]);
    assertEquals([drain(), ring.consumed], [0, 16n]);
    ring.submit(busy, () => 2);
    assertEquals([reader.busy, drain()], [false, 2]);
    assertEquals(read, [[1], [2], [3]]);
  });

  test("discarded records are skipped and their space is given back", () => {
    const { ring, drain, read } = start();
    ring.discard(ring.reserve(100)!);
    assertEquals([drain(), ring.used], [0, 0]);
    ring.write(1);
    ring.discard(ring.reserve(7)!);
    ring.discard(ring.reserve(0)!);
    ring.write(2);
    assertEquals([drain(), ring.used, read], [2, 0, [[1], [2]]]);
  });

  test("the position is stored once a batch, behind its last record", () => {
    const { ring, reader } = start();
    for (let i = 0; i < 50; i++) ring.write(i);
    const seen = new Set<bigint>();
    reader.drain(() => seen.add(ring.consumed));
    assertEquals([[...seen], ring.consumed], [[0n], 800n]);
  });

  test("records that come while others are read are read, too", () => {
    const { ring, reader, read, keep } = start();
    ring.write(0);
    const count = reader.drain((view, offset, length) => {
      keep(view, offset, length);
      if (read.length < 100) ring.write(read.length);
    });
    assertEquals([count, read.flat()], [100, Array.from({ length: 100 }, (_, i) => i)]);
  });

  test("a producer as fast as the reader does not hold it for more than one ring full", () => {
    const { ring, reader } = start();
    ring.write(0);
    const count = reader.drain(() => ring.write(0));
    assert(count >= SIZE / 16 && count <= SIZE / 16 + 1, `${count} records`);
    assertEquals(reader.drain(() => {}), 1);
  });

  test("at most `limit` records are handed over", () => {
    const { ring, drain, read } = start();
    for (let i = 0; i < 5; i++) ring.write(i);
    ring.discard(ring.reserve(1)!);
    assertEquals([drain(0), ring.consumed], [0, 0n]);
    assertEquals([drain(2), ring.consumed], [2, 32n]);
    assertEquals([drain(3), ring.consumed], [3, 80n]);
    assertEquals([drain(3), ring.consumed], [0, 96n]);
    assertEquals(read.flat(), [0, 1, 2, 3, 4]);
  });

  test("a record whose handler throws counts as read, those behind it do not", () => {
    const { ring, reader, drain, read } = start();
    for (let i = 0; i < 4; i++) ring.write(i);
    const broken = (view: DataView, offset: number) => {
      if (view.getUint8(offset) === 1) throw new TypeError("not this one");
    };
    assertThrows(() => reader.drain(broken), TypeError, "not this one");
    assertEquals(ring.consumed, 32n);
    assertEquals([drain(), read.flat()], [2, [2, 3]]);
  });

  test("a handler that stops the reader is the last one called", () => {
    const { ring, reader, drain, read, keep } = start();
    for (let i = 0; i < 4; i++) ring.write(i);
    const count = reader.drain((view, offset, length) => {
      keep(view, offset, length);
      if (read.length === 2) reader.stop();
    });
    assertEquals([count, read, ring.consumed], [2, [[0], [1]], 32n]);
    assertEquals([drain(), reader.next(keep), reader.busy], [0, false, false]);
  });

  test("records of no bytes, and of as many as fit", () => {
    const { ring, drain, read } = start(64);
    assert(ring.write());
    assertEquals([drain(), read, ring.used], [1, [[]], 0]);
    // Producers never fill the last byte: full and empty would look the same.
    assertEquals(ring.reserve(49), undefined);
    const largest = new Array(48).fill(7);
    assert(ring.write(...largest));
    assertEquals(ring.reserve(0), undefined);
    assertEquals([drain(), read[1], ring.used], [1, largest, 0]);
  });

  for (const edge of [2n ** 31n, 2n ** 32n, 2n ** 40n, 2n ** 52n]) {
    test(`positions on both sides of ${edge}`, () => {
      const { ring, drain, read } = start(256, edge - 96n);
      for (let i = 0; i < 40; i++) {
        ring.write(i, i);
        if (i % 3 === 0) drain();
      }
      assertEquals(drain(), 0);
      assertEquals(read.map(([first]) => first), Array.from({ length: 40 }, (_, i) => i));
      assertEquals([ring.consumed, ring.used], [edge - 96n + 640n, 0]);
    });
  }

  test("next() gives one record, and its space back when an eighth of the ring waits", () => {
    const { ring, reader, read, keep } = start(1024);
    for (let i = 0; i < 30; i++) ring.write(i);
    const consumed: bigint[] = [];
    for (let i = 0; i < 30; i++) {
      assert(reader.next(keep));
      consumed.push(ring.consumed);
    }
    assertEquals(read.flat(), Array.from({ length: 30 }, (_, i) => i));
    assertEquals(new Set(consumed), new Set([0n, 128n, 256n, 384n]));
    assertEquals([reader.next(keep), ring.consumed], [false, 480n]);
  });

  test("next() and drain() go on where the other one was", () => {
    const { ring, reader, read, keep, drain } = start();
    for (let i = 0; i < 6; i++) ring.write(i);
    reader.next(keep);
    assertEquals([drain(2), ring.consumed], [2, 48n]);
    reader.next(keep);
    assertEquals([drain(), ring.consumed], [2, 96n]);
    assertEquals(read.flat(), [0, 1, 2, 3, 4, 5]);
  });

  test("stop() gives back what next() has read", () => {
    const { ring, reader, keep } = start();
    ring.write(1);
    ring.write(2);
    reader.next(keep);
    assertEquals(ring.consumed, 0n);
    reader.stop();
    assertEquals([ring.consumed, reader.next(keep)], [16n, false]);
    const again = new RingReader(ring.memory, { ordered });
    assertEquals(again.drain((view, offset) => assertEquals(view.getUint8(offset), 2)), 1);
  });

  test("next() counts a record as read whose handler throws", () => {
    const { ring, reader, read, keep } = start();
    ring.write(1);
    ring.write(2);
    assertThrows(() =>
      reader.next(() => {
        throw new TypeError("not this one");
      }), TypeError);
    assertEquals([reader.next(keep), read], [true, [[2]]]);
  });

  test("random sizes, out of order, over 3,000 wraps: none lost, none wrong", () => {
    const { ring, reader } = start(1024, 2n ** 32n - 100n * 1024n + 8n);
    const random = randomNumbers(ordered ? 12345 : 54321);
    const open: { reserved: Reserved; number: number }[] = [];
    let reserved = 0;
    let received = 0;
    let expected = 0;
    // The first byte of a record is its number, all others follow from it.
    const byte = (number: number, i: number) => (number + i * 7) & 0xff;
    const check = (view: DataView, offset: number, length: number) => {
      // Every 11th is discarded, the first one to begin with.
      do expected++; while (expected % 11 === 0);
      received++;
      const number = expected;
      for (let i = 0; i < length; i++) {
        if (view.getUint8(offset + i) !== byte(number, i)) throw new Error(`record ${received}: byte ${i} is wrong`);
      }
      if (length !== number % 97) throw new Error(`record ${received} has ${length} bytes`);
    };
    const end = ring.consumed + 3000n * 1024n;
    while (ring.consumed < end) {
      const choice = random() % 4;
      if (choice < 2) {
        const place = ring.reserve(reserved % 97);
        if (place !== undefined) open.push({ reserved: place, number: reserved++ });
      } else if (choice === 2 && open.length > 0) {
        const [{ reserved: place, number }] = open.splice(random() % open.length, 1) as [typeof open[number]];
        if (number % 11 === 0) ring.discard(place);
        else ring.submit(place, (i) => byte(number, i));
      } else if (random() % 2 === 0) reader.drain(check, random() % 20);
      else while (reader.next(check));
    }
    assert(received > 20_000, `${received} records`);
  });
}

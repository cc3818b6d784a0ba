import { assert, assertEquals, assertThrows } from "@std/assert";
import { PERF_PAGE, perfRecordTime, PerfRing, readOverwritable } from "../../../ffi/events/perf_ring.ts";
import { randomNumbers } from "./ring_simulator.ts";

const PAGE = 4096;
const SAMPLE = 9;
const LOST = 2;

/** The kernel's side of a perf event's buffer, in plain memory. */
class PerfSimulator {
  readonly memory: ArrayBuffer;
  readonly #view: DataView;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    this.memory = new ArrayBuffer(PAGE + size);
    this.#view = new DataView(this.memory);
  }

  get tail(): bigint {
    return this.#view.getBigUint64(PERF_PAGE.dataTail, true);
  }

  get head(): bigint {
    return this.#view.getBigUint64(PERF_PAGE.dataHead, true);
  }

  /** Writes a record of a type, whose body `fill` writes; `false` if there is no room. */
  write(type: number, bodyBytes: number, fill: (body: DataView) => void, backward = false): boolean {
    const size = Math.ceil((8 + bodyBytes) / 8) * 8;
    const record = new DataView(new ArrayBuffer(size));
    record.setUint32(0, type, true);
    record.setUint16(6, size, true);
    fill(new DataView(record.buffer, 8));
    if (!backward && Number(this.head - this.tail) + size > this.#size) return false;
    const head = backward ? this.head - BigInt(size) : this.head;
    for (let i = 0; i < size; i++) {
      this.#view.setUint8(PAGE + Number(BigInt.asUintN(32, head) + BigInt(i)) % this.#size, record.getUint8(i));
    }
    this.#view.setBigUint64(PERF_PAGE.dataHead, BigInt.asUintN(64, backward ? head : head + BigInt(size)), true);
    return true;
  }

  /** Writes a sample, padded as the kernel does. */
  sample(bytes: number[], backward = false): boolean {
    const length = Math.ceil((bytes.length + 4) / 8) * 8 - 4;
    return this.write(SAMPLE, 4 + length, (body) => {
      body.setUint32(0, length, true);
      bytes.forEach((byte, i) => body.setUint8(4 + i, byte));
    }, backward);
  }

  lost(count: number): boolean {
    return this.write(LOST, 16, (body) => body.setBigUint64(8, BigInt(count), true));
  }
}

function start(size = 4096) {
  const simulator = new PerfSimulator(size);
  const ring = new PerfRing(simulator.memory, PAGE);
  const read: number[][] = [];
  const keep = (view: DataView, offset: number, length: number) => {
    read.push([...new Uint8Array(view.buffer, view.byteOffset + offset, length)]);
  };
  return { simulator, ring, read, keep };
}

Deno.test("PerfRing: samples come in order, other records do not, and the tail is stored once", () => {
  const { simulator, ring, read, keep } = start();
  simulator.sample([1, 2, 3, 4]);
  simulator.write(4, 8, () => {});
  simulator.sample([5, 6, 7, 8]);
  assertEquals(ring.usedBytes, 48);
  const tails = new Set<bigint>();
  assertEquals(ring.drain((...record) => (keep(...record), tails.add(simulator.tail))), 2);
  assertEquals([read, [...tails]], [[[1, 2, 3, 4], [5, 6, 7, 8]], [0n]]);
  assertEquals([simulator.tail, ring.usedBytes, ring.drain(keep)], [48n, 0, 0]);
});

Deno.test("PerfRing: records that say how many were lost are added up", () => {
  const { simulator, ring, keep } = start();
  simulator.lost(3);
  simulator.sample([1]);
  simulator.lost(4);
  assertEquals([ring.drain(keep), ring.lost], [1, 7]);
});

Deno.test("PerfRing: random sizes across 300 wraps: none lost, none wrong, those that wrap are whole", () => {
  const { simulator, ring } = start(1024);
  const random = randomNumbers(42);
  const expected: number[][] = [];
  let wrapped = 0;
  while (simulator.head < 300n * 1024n) {
    const bytes = Array.from({ length: (random() % 200) + 1 }, () => random() & 0xff);
    if (simulator.sample(bytes)) expected.push(bytes);
    if (random() % 3 > 0) continue;
    ring.drain((view, offset, length) => {
      const bytes = expected.shift()!;
      assertEquals(length, Math.ceil((bytes.length + 4) / 8) * 8 - 4);
      assertEquals([...new Uint8Array(view.buffer, view.byteOffset + offset, bytes.length)], bytes);
      if (view.byteOffset === 0) wrapped++;
    }, 1 + random() % 4);
  }
  assert(wrapped > 50, `${wrapped}`);
});

Deno.test("PerfRing: `limit`, a handler that throws, and stop()", () => {
  const { simulator, ring, read, keep } = start();
  for (let i = 0; i < 5; i++) simulator.sample([i, 0, 0, 0]);
  assertEquals([ring.drain(keep, 2), simulator.tail], [2, 32n]);
  assertThrows(() =>
    ring.drain(() => {
      throw new TypeError("no");
    }), TypeError);
  assertEquals([simulator.tail, ring.drain((...record) => (keep(...record), ring.stop()))], [48n, 1]);
  assertEquals([read.map(([first]) => first), ring.drain(keep)], [[0, 1, 3], 0]);
});

Deno.test("PerfRing: the time of a record with timestamps", () => {
  const simulator = new PerfSimulator(4096);
  const ring = new PerfRing(simulator.memory, PAGE, true);
  simulator.write(SAMPLE, 24, (body) => {
    body.setBigUint64(0, 123n << 40n, true);
    body.setUint32(8, 12, true);
    body.setUint32(12, 7, true);
  });
  ring.drain((view, offset, length) => {
    assertEquals([perfRecordTime(view, offset), length, view.getUint32(offset, true)], [123n << 40n, 12, 7]);
  });
});

Deno.test("PerfRing: a size that is less than a header is refused", () => {
  const { simulator, ring, keep } = start();
  simulator.sample([1]);
  new DataView(simulator.memory).setUint16(PAGE + 6, 0, true);
  assertThrows(() => ring.drain(keep), RangeError, "a record of 0 bytes");
});

Deno.test("readOverwritable(): the last records, oldest first, at every state of a buffer of 1,024 bytes", () => {
  const simulator = new PerfSimulator(1024);
  const random = randomNumbers(7);
  const written: number[] = [];
  assertEquals(readOverwritable(simulator.memory, PAGE, () => {}), 0);
  for (let i = 0; i < 500; i++) {
    simulator.sample([i & 0xff, i >> 8, ...new Array(random() % 100).fill(0xee)], true);
    written.push(i);
    const read: number[] = [];
    const count = readOverwritable(simulator.memory, PAGE, (view, offset) => read.push(view.getUint16(offset, true)));
    assertEquals([count, read], [read.length, written.slice(-read.length)]);
    assert(read.length >= Math.min(i + 1, 8), `${read.length} after ${i}`);
  }
});

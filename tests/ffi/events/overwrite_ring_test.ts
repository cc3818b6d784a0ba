import { assert, assertEquals } from "@std/assert";
import { OverwriteReader } from "../../../ffi/events/overwrite_ring.ts";
import { randomNumbers } from "./ring_simulator.ts";

const PAGE = 64;
const BUSY = 0x8000_0000;
const DISCARD = 0x4000_0000;

/** The producer's side, in plain memory, as kernel/bpf/ringbuf.c does it in overwrite mode. */
class OverwriteSimulator {
  readonly memory;
  readonly #positions: BigUint64Array;
  readonly #data: DataView;
  readonly #size: number;

  constructor(size: number, position = 0n) {
    const rest = new ArrayBuffer(PAGE + 2 * size);
    const consumer = new ArrayBuffer(PAGE);
    this.memory = { consumer, producer: rest, data: rest, dataOffset: PAGE };
    this.#positions = new BigUint64Array(rest, 0, 3);
    this.#data = new DataView(rest, PAGE);
    this.#size = size;
    new BigUint64Array(consumer)[0] =
      this.#positions[0] =
      this.#positions[1] =
      this.#positions[2] =
        position;
  }

  get consumed(): bigint {
    return new BigUint64Array(this.memory.consumer)[0]!;
  }

  /** Writes a record of `length` bytes that begins with `number`. */
  write(number: number, length: number, flags = 0): void {
    const start = this.#positions[0]!;
    const end = start + BigInt((length + 15) & ~7);
    while (end - this.#positions[2]! > BigInt(this.#size - 1)) {
      const header = this.#data.getUint32(Number(this.#positions[2]! % BigInt(this.#size)), true) & (DISCARD - 1);
      this.#positions[2]! += BigInt((header + 15) & ~7);
    }
    const at = Number(start % BigInt(this.#size));
    this.#set(at, length | flags);
    this.#set(at + 4, 0);
    for (let i = 0; i < length; i += 4) this.#set(at + 8 + i, number);
    this.#positions[0] = end;
  }

  end(flags = 0): void {
    const at = Number(this.consumed % BigInt(this.#size));
    this.#set(at, this.#data.getUint32(at, true) & (DISCARD - 1) | flags);
  }

  #set(offset: number, value: number): void {
    const at = offset % this.#size;
    for (const copy of [0, this.#size]) this.#data.setUint32(at + copy, value >>> 0, true);
  }
}

function start(size = 256, position = 0n) {
  const ring = new OverwriteSimulator(size, position);
  const reader = new OverwriteReader(ring.memory);
  const drain = () => {
    const read: number[] = [];
    reader.drain((view, offset, length) => {
      for (let i = 4; i < length; i += 4) assertEquals(view.getUint32(offset + i, true), view.getUint32(offset, true));
      read.push(view.getUint32(offset, true));
    });
    return read;
  };
  return { ring, reader, drain };
}

Deno.test("OverwriteReader: a reader that keeps up gets all", () => {
  const { ring, reader, drain } = start();
  for (let i = 0; i < 100; i++) {
    ring.write(i, 4 + i % 100);
    assertEquals(drain(), [i]);
  }
  assertEquals([drain(), reader.lostBytes], [[], 0]);
});

Deno.test("OverwriteReader: of more than fits the last ones come, the others are told in bytes", () => {
  const { ring, reader, drain } = start();
  for (let i = 0; i < 20; i++) ring.write(i, 24);
  // 7 records of 32 bytes: the ring is full with 255 bytes.
  assertEquals([drain(), reader.lostBytes], [[13, 14, 15, 16, 17, 18, 19], 13 * 32]);
  ring.write(20, 24);
  assertEquals([drain(), reader.lostBytes, ring.consumed], [[20], 13 * 32, 21n * 32n]);
});

Deno.test("OverwriteReader: busy records stop it, discarded ones are skipped", () => {
  const { ring, reader, drain } = start();
  ring.write(1, 8, DISCARD);
  ring.write(2, 8);
  ring.write(3, 8, BUSY);
  ring.write(4, 8);
  assertEquals([drain(), reader.busy, drain()], [[2], true, []]);
  ring.end();
  assertEquals([reader.busy, drain()], [false, [3, 4]]);
});

for (const position of [0n, 2n ** 31n - 64n, 2n ** 32n - 64n, 2n ** 45n]) {
  Deno.test(`OverwriteReader: random sizes and readers, from ${position} on: in order, none twice, what is missing is told`, () => {
    const { ring, reader, drain } = start(512, position);
    const random = randomNumbers(11);
    let [number, last, bytes, received] = [0, -1, 0, 0];
    for (let round = 0; round < 3000; round++) {
      for (let i = random() % 8; i > 0; i--) {
        const length = 4 * (1 + random() % 30);
        bytes += (length + 15) & ~7;
        ring.write(number++, length);
      }
      for (const one of drain()) {
        assert(one > last);
        last = one;
        received++;
      }
    }
    assert(received > 3000 && reader.lostBytes > 0 && reader.lostBytes < bytes, `${received} ${reader.lostBytes}`);
    assertEquals([last, drain()], [number - 1, []]);
  });
}

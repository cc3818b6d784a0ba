import { assert, assertEquals } from "@std/assert";
import { RingReader } from "../../../ffi/events/ring.ts";
import { UserRing } from "../../../ffi/events/user_ring.ts";
import { randomNumbers } from "./ring_simulator.ts";

const PAGE = 64;

/** A user ring whose other side is the reader of ring buffers: the layout is the same. The data is there once only. */
function start(size: number) {
  const consumer = new ArrayBuffer(PAGE);
  const producer = new ArrayBuffer(PAGE + 2 * size);
  const ring = new UserRing({ consumer, producer, dataOffset: PAGE });
  const reader = new RingReader({ consumer, producer, data: producer, dataOffset: PAGE }, { ordered: true });
  const copy = (record: DataView): void => {
    // What the kernel's double mapping does.
    const bytes = new Uint8Array(producer, PAGE);
    for (let i = record.byteOffset - PAGE - 8; i < record.byteOffset - PAGE + record.byteLength; i++) {
      bytes[(i + size) % (2 * size)] = bytes[i]!;
    }
  };
  return { ring, reader, copy };
}

Deno.test("UserRing: what is submitted is read in order, what is discarded is not, a reserved record stops the reader", () => {
  const { ring, reader } = start(256);
  const records = [1, 2, 3].map((value) => {
    const record = ring.reserve(4)!;
    record.setUint32(0, value, true);
    return record;
  });
  const read: number[] = [];
  const drain = () => reader.drain((view, offset) => read.push(view.getUint32(offset, true)));
  ring.end(records[2]!, false);
  assertEquals([drain(), ring.usedBytes], [0, 48]);
  ring.end(records[0]!, false);
  assertEquals([drain(), ring.usedBytes], [1, 32]);
  ring.end(records[1]!, true);
  assertEquals([drain(), ring.usedBytes, read], [1, 0, [1, 3]]);
});

Deno.test("UserRing: it is full to the last byte", () => {
  const { ring } = start(64);
  assert(ring.reserve(24) !== undefined && ring.reserve(24) !== undefined);
  assertEquals([ring.usedBytes, ring.reserve(0)], [64, undefined]);
});

Deno.test("UserRing: random sizes over 1,000 wraps", () => {
  const { ring, reader, copy } = start(512);
  const random = randomNumbers(3);
  let [sent, bytes, received] = [0, 0, 0];
  while (bytes < 512 * 1000) {
    const record = ring.reserve(4 + random() % 200);
    if (record === undefined) {
      reader.drain((view, offset) => assertEquals(view.getUint32(offset, true), received++));
      continue;
    }
    record.setUint32(0, sent++, true);
    bytes += UserRing.recordBytes(record.byteLength);
    ring.end(record, false);
    copy(record);
  }
  reader.drain((view, offset) => assertEquals(view.getUint32(offset, true), received++));
  assertEquals(received, sent);
});

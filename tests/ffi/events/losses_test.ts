import { assertEquals } from "@std/assert";
import { describeLosses, totalLost } from "../../../ffi/events/losses.ts";

const RING = { map: "events", sizeBytes: 256 * 1024, perCpu: false, queue: 100 };

Deno.test("describeLosses() says how many, why, and what to do", () => {
  assertEquals(describeLosses({ program: 0, kernel: 0, queue: 0 }, RING), []);
  assertEquals(describeLosses({ program: 12, kernel: 0, queue: 0 }, RING), [
    '12 events lost: ring full; raise max_entries of "events" (256 KiB)',
  ]);
  assertEquals(describeLosses({ program: 1, kernel: 0, queue: 1 }, { ...RING, sizeBytes: 1 << 24 }), [
    '1 event lost: ring full; raise max_entries of "events" (16 MiB)',
    '1 event lost: their reader was too slow and the queue of "events" (100) full',
  ]);
  assertEquals(describeLosses({ program: 2, kernel: 3, queue: 0 }, { ...RING, perCpu: true, sizeBytes: 65536 }), [
    '5 events lost: a CPU\'s buffer was full; raise pages of "events" (64 KiB a CPU)',
  ]);
  assertEquals(totalLost({ program: 1, kernel: 2, queue: 3 }), 6);
});

import { assert, assertEquals } from "@std/assert";
import { Pace, turn } from "../../../ffi/events/pace.ts";
import type { Readiness } from "../../../ffi/events/waiter.ts";

/** Counts how often the kernel is asked. */
function start() {
  const asked = { count: 0 };
  const readiness = {
    readable: () => {
      asked.count++;
      return Promise.resolve();
    },
  };
  return { asked, pace: new Pace(readiness as unknown as Readiness) };
}

/** Longer than a rate is looked at. */
function delay(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

Deno.test("Pace: seldom records are waited for by the kernel's wake-up", async () => {
  const { asked, pace } = start();
  for (let i = 0; i < 3; i++) {
    pace.note(1);
    await delay();
    await pace.wait();
  }
  assertEquals([asked.count, pace.flowing], [3, false]);
});

Deno.test("Pace: a flow of records by a timer, and by the kernel again when it has ceased", async () => {
  const { asked, pace } = start();
  for (let i = 0; i < 5; i++) {
    pace.note(1_000_000);
    await delay();
    await pace.wait();
  }
  assertEquals([asked.count, pace.flowing], [0, true]);
  await delay();
  await pace.wait();
  assertEquals([asked.count, pace.flowing], [1, false]);
});

Deno.test("turn() lets timers that are due have their turn", async () => {
  let fired = false;
  setTimeout(() => fired = true, 1);
  let turns = 0;
  while (!fired) {
    await turn();
    turns++;
  }
  assert(turns > 0);
});

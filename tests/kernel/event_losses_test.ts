/**
 * Events that are lost are counted and told of: by the program, by the stream's queue, in `debpf run`.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { Collection, type EventValue, findLostCounters, RingBuffer } from "../../mod.ts";
import { inRepository, needs, runCli } from "../support/mod.ts";
import { args, COMPILERS, objectSpec, Starts } from "./support.ts";

/** Records of 32 bytes that a ring of one page holds. */
const ROOM = 102;

function numbers(events: readonly EventValue[]): number[] {
  return events.map(({ number }) => Number(number));
}

function sequence(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

for (const compiler of COMPILERS) {
  const test = (
    name: string,
    fn: (collection: Collection, emit: (program: string, n: number) => number) => void | Promise<void>,
  ) =>
    Deno.test({
      name: `${compiler}/losses: ${name}`,
      ...needs({ bpf: true, btf: true, tracefs: true }),
      fn: async () => {
        using collection = Collection.load(objectSpec(compiler, "event_losses"));
        await fn(collection, (program, n) => collection.program(program).run({ ctx: args(n, 0) }).returnValue);
      },
    });

  test("the counters of an object are found by their tags", ({ spec }) => {
    assertEquals([...findLostCounters(spec)].sort(), [
      ["counted_by_map", [{ kind: "map", name: "failures" }]],
      ["events", [{ kind: "variable", name: "debpf_lost_events" }]],
    ]);
  });

  test("what the program could not reserve is the stream's loss, with what to do", (collection, emit) => {
    {
      using events = collection.events("events");
      assertEquals([events.lost, events.describeLosses()], [0, []]);
      emit("emit", 150);
      assertEquals(numbers(events.take()), sequence(ROOM));
      assertEquals([events.lost, events.losses], [48, { program: 48, kernel: 0, queue: 0 }]);
      assertEquals(events.describeLosses(), ['48 events lost: ring full; raise max_entries of "events" (4 KiB)']);
    }
    // Nobody reads: that counts for the next stream, and no longer for the one before.
    emit("emit", ROOM + 1);
    using next = collection.events("events");
    assertEquals([next.lost, next.describeLosses()], [
      1,
      ['1 event lost: ring full; raise max_entries of "events" (4 KiB)'],
    ]);
  });

  test("a counter may be a per-CPU array, and is the same when everything is closed", (collection, emit) => {
    const events = collection.events("counted_by_map");
    emit("emit_per_cpu", 110);
    assertEquals(events.lost, 110 - ROOM);
    collection.close();
    assertEquals([events.closed, events.lost], [true, 110 - ROOM]);
  });

  test("a reader that stays away loses what the queue does not hold, and nothing before", async (collection, emit) => {
    using events = collection.events("events", { queue: 150 });
    assertEquals(events.take(), []);
    for (let i = 0; i < 3; i++) {
      emit("emit", 90);
      // More than half full: the events are taken out of the ring.
      await delay(200);
    }
    assertEquals(numbers(events.take()), [...sequence(90), ...sequence(60)]);
    assertEquals(events.losses, { program: 0, kernel: 0, queue: 120 });
    assertEquals(events.describeLosses(), [
      '120 events lost: their reader was too slow and the queue of "events" (150) full',
    ]);
    emit("emit", 5);
    assertEquals(numbers(events.take()), sequence(5));
  });

  test("a slow loop gets all events of a ring that is too small, in order", async (collection, emit) => {
    const read: number[] = [];
    let sent = 0;
    const timer = setInterval(() => sent < 1000 ? sent += 25 - emit("emit", 25) : clearInterval(timer), 20);
    for await (const { number } of collection.events("events")) {
      if (read.length % 100 === 0) await delay(60);
      if (read.push(Number(number)) === 1000) break;
    }
    clearInterval(timer);
    assertEquals(read, Array.from({ length: 1000 }, (_, i) => i % 25));
    assertEquals(collection.variable("debpf_lost_events").get(), 0n);
  });

  test('with "block" events stay in the ring, and the program counts', async (collection, emit) => {
    using events = collection.events("events", { backpressure: "block" });
    assertEquals(events.take(), []);
    for (let i = 0; i < 3; i++) {
      emit("emit", 90);
      await delay(200);
    }
    assertEquals(events.losses, { program: 270 - ROOM, kernel: 0, queue: 0 });
    assertEquals(numbers(events.take()), [...sequence(90), ...sequence(12)]);
  });

  test("events that were queued and not read are lost when the stream is closed", async (collection, emit) => {
    const events = collection.events("events");
    assertEquals(events.take(), []);
    emit("emit", 90);
    await delay(200);
    events.close();
    assertEquals([events.lost, events.take()], [90, []]);
  });
}

Deno.test({
  name: "losses: a queue of no size is refused, and closes its source",
  ...needs({ bpf: true, btf: true }),
  fn() {
    using collection = Collection.load(objectSpec("clang19", "event_losses"));
    assertThrows(
      () => collection.events("events", { queue: 0 }),
      RangeError,
      "queue: 0 is no positive number of events",
    );
    new RingBuffer(collection.map("events")).close();
  },
});

const RUN = ["run", inRepository("testdata", "clang19", "event_losses.bpf.o"), "--program", "emit_on_exec"];

Deno.test({
  name: "debpf run says at its end how many events were lost, why, and what to do",
  ...needs({ bpf: true, btf: true, tracefs: true, program: "true" }),
  fn: async () => {
    await using _starts = new Starts();
    const { code, stdout, stderr } = await runCli([...RUN, "--count", "80"]);
    assertEquals(code, 0);
    const match = /^debpf: (\d+) events lost: ring full; raise max_entries of "events" \(4 KiB\)\n$/.exec(stderr);
    assert(match !== null, stderr);
    assertGreater(Number(match[1]), 47);
    assertEquals(stdout.split("\n").length, 82);
  },
});

Deno.test({
  name: "debpf run -j has a line for lost events, too",
  ...needs({ bpf: true, btf: true, tracefs: true, program: "true" }),
  fn: async () => {
    await using _starts = new Starts();
    const { code, stdout } = await runCli([...RUN, "-j", "--count", "80"]);
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals([code, lines.length], [0, 81]);
    const { map, lost } = lines.at(-1);
    assertEquals([map, lost > 47], ["events", true]);
  },
});

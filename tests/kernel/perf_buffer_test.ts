/**
 * Perf event arrays: their records as events, what is lost, wrapped records, several CPUs, pauses, snapshots. What the
 * programs send is told in testdata/perf_events.bpf.c.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Collection, type EventValue, PerfBuffer, PerfSnapshot, RingBuffer, sys, UnsupportedError } from "../../mod.ts";
import { inject } from "../ffi/sys/inject.ts";
import { hasFeature } from "../support/features.ts";
import { needs, openFds } from "../support/mod.ts";
import { args, COMPILERS, objectSpec } from "./support.ts";

interface Fixture {
  readonly collection: Collection;
  /** Runs a program on a CPU; gives what it returns. */
  readonly emit: (program: string, n: number, first?: number, cpu?: number) => number;
}

function run(compiler: string, fn: (fixture: Fixture) => void | Promise<void>): () => Promise<void> {
  return async () => {
    using collection = Collection.load(objectSpec(compiler, "perf_events"));
    const before = openFds().size;
    await fn({
      collection,
      emit: (program, n, first = 0, cpu = 0) =>
        collection.program(program).run({ ctx: args(n, first), cpu }).returnValue,
    });
    for (let i = 0; i < 200 && openFds().size !== before; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(openFds().size, before);
  };
}

function test(name: string, fn: (fixture: Fixture) => void | Promise<void>): void {
  Deno.test({ name: `perf buffer: ${name}`, ...needs({ bpf: true, btf: true }), fn: run("clang19", fn) });
}

function numbers(events: readonly EventValue[]): number[] {
  return events.map(({ number }) => Number(number));
}

function sequence(length: number, first = 0): number[] {
  return Array.from({ length }, (_, i) => first + i);
}

for (const compiler of COMPILERS) {
  Deno.test({
    name: `${compiler}/perf buffer: collection.events() gives its events as those of a ring buffer`,
    ...needs({ bpf: true, btf: true }),
    fn: run(compiler, ({ collection, emit }) => {
      using events = collection.events("events");
      assertEquals(emit("emit", 3, 10), 0);
      assertEquals(events.take(), sequence(3, 10).map((number) => ({ number: BigInt(number), cpu: 0, text: "perf" })));
      assertEquals([events.take(), events.lost], [[], 0]);
    }),
  });

  Deno.test({
    name: `${compiler}/perf buffer: two types are told apart by length, padding or not`,
    ...needs({ bpf: true, btf: true }),
    fn: run(compiler, ({ collection, emit }) => {
      using events = collection.typedEvents("two_kinds");
      emit("emit_two", 7);
      assertEquals(events.take().map(({ type, value }) => [type?.name, value]), [
        ["long_event", { words: [7n, 1n, 2n, 3n, 4n] }],
        ["short_event", { a: 7, b: 5, c: 6 }],
      ]);
    }),
  });
}

test("a loop over its events waits for them, and closes it", async ({ collection, emit }) => {
  const read: number[] = [];
  let sent = 0;
  const timer = setInterval(() => emit("emit", 1, sent++), 1);
  const stream = collection.events("events");
  for await (const { number } of stream) if (read.push(Number(number)) === 20) break;
  clearInterval(timer);
  assertEquals([read, stream.closed], [sequence(20), true]);
});

test("each CPU has a buffer of its own, whose order is kept", ({ collection, emit }) => {
  const cpus = sys.onlineCpus();
  using perf = new PerfBuffer(collection.map("events"));
  assertEquals(perf.cpus, cpus);
  for (let round = 0; round < 5; round++) for (const cpu of cpus) emit("emit", 10, round * 10, cpu);
  const read = new Map<number, number[]>();
  const count = perf.drain((view, offset) => {
    const cpu = view.getUint32(offset + 8, true);
    read.set(cpu, [...read.get(cpu) ?? [], Number(view.getBigUint64(offset, true))]);
  });
  assertEquals(count, cpus.length * 50);
  for (const cpu of cpus) assertEquals(read.get(cpu), sequence(50));
});

test("records of all sizes are whole, wherever the buffer wraps", ({ collection, emit }) => {
  using perf = new PerfBuffer(collection.map("sized"), { pages: 1 });
  let wrapped = 0;
  for (let i = 0; i < 600; i++) {
    const size = 1 + i * 7 % 512;
    assertEquals(emit("emit_sized", size, i), 0);
    assertEquals(
      perf.drain((view, offset, length) => {
        assertEquals(length, Math.ceil((size + 4) / 8) * 8 - 4);
        const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, size);
        assertEquals(bytes, Uint8Array.from({ length: size }, (_, k) => i + k));
        if (view.byteOffset === 0) wrapped++;
      }),
      1,
    );
  }
  assert(wrapped > 10, `${wrapped} records wrapped`);
});

test("what does not fit is counted: received + lost = sent", ({ collection, emit }) => {
  using events = collection.events("events", { perf: { pages: 1 } });
  let refused = 0;
  for (let i = 0; i < 5; i++) refused += emit("emit", 100, i * 100);
  const received = numbers(events.take());
  assertEquals(received, sequence(received.length));
  // Before Linux 6.0 it is told when there is room again: by a record that comes with the next one.
  assertEquals([emit("emit", 1, 1000), numbers(events.take())], [0, [1000]]);
  assertEquals(received.length + events.lost, 500);
  assertEquals([events.losses, refused > 0], [{ program: 0, kernel: refused, queue: 0 }, true]);
  assertEquals(events.describeLosses(), [
    `${refused} events lost: a CPU's buffer was full; raise pages of "events" (4 KiB a CPU)`,
  ]);
  events.close();
  assertEquals(events.lost, refused);
});

test("while it is paused records are lost, and counted", ({ collection, emit }) => {
  using perf = new PerfBuffer(collection.map("events"));
  emit("emit", 2);
  perf.pause();
  emit("emit", 3);
  perf.resume();
  emit("emit", 4);
  assertEquals([perf.drain(() => {}), perf.lost], [6, 3]);
});

test("a watermark and a number of records wake up late; all is read after a while", async ({ collection, emit }) => {
  for (const options of [{ watermarkBytes: 4096 }, { wakeupEvents: 50 }]) {
    using perf = new PerfBuffer(collection.map("events"), options);
    const waiting = perf.readable();
    emit("emit", 1);
    await waiting;
    assertEquals(perf.drain(() => {}), 1);
  }
});

test("a snapshot has the last records, oldest first, and is taken again and again", ({ collection, emit }) => {
  using snapshot = new PerfSnapshot(collection.map("events"), { pages: 1 });
  const read = () => {
    const numbers: number[] = [];
    snapshot.read((view, offset) => numbers.push(Number(view.getBigUint64(offset, true))));
    return numbers;
  };
  assertEquals(read(), []);
  emit("emit", 3);
  assertEquals([read(), read()], [sequence(3), sequence(3)]);
  for (let first = 3; first < 2000; first += 50) emit("emit", 50, first);
  const last = read();
  assertEquals(last, sequence(last.length, last[0]!));
  assertEquals(last.at(-1), 2002);
  // 40 bytes a record, of a page.
  assertEquals(last.length, 102);
});

test("a full buffer gives all it has to a loop that waits for its turn", async ({ collection, emit }) => {
  const stream = collection.events("events");
  for (let first = 0; first < 1200; first += 400) assertEquals(emit("emit", 400, first), 0);
  const read: number[] = [];
  for await (const { number } of stream) if (read.push(Number(number)) === 1200) break;
  assertEquals(read, sequence(1200));
});

test("follows CPUs that come and go", async ({ collection, emit }) => {
  const online = sys.onlineCpus();
  const only = (cpus: string) => {
    const file = Deno.makeTempFileSync();
    Deno.writeTextFileSync(file, `${cpus}\n`);
    const undo = inject("open", (real) => (path, flags, mode) => {
      const isList = new TextDecoder().decode(path) === "/sys/devices/system/cpu/online\0";
      return real(isList ? new TextEncoder().encode(`${file}\0`) : path, flags, mode);
    });
    return { [Symbol.dispose]: () => (undo[Symbol.dispose](), Deno.removeSync(file)) };
  };
  const until = async (perf: PerfBuffer, cpus: number[]) => {
    while (perf.cpus.join() !== cpus.join()) await perf.readable();
  };
  const alone = only("0");
  using perf = new PerfBuffer(collection.map("events"));
  assertEquals(perf.cpus, [0]);
  alone[Symbol.dispose]();
  await until(perf, online);
  for (const cpu of online) assertEquals(emit("emit", 1, 0, cpu), 0);
  assertEquals(perf.drain(() => {}), online.length);
  perf.pause();
  for (const cpu of online) emit("emit", 2, 0, cpu);
  perf.resume();
  emit("emit", 1, 0, online.at(-1));
  using _alone = only("0");
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await perf.readable();
  // The records of one that has gone are read before its buffer goes.
  assertEquals([perf.cpus, perf.drain(() => {})], [online, 1]);
  await until(perf, [0]);
  assertEquals([emit("emit", 1), perf.drain(() => {})], [0, 1]);
  // Before Linux 6.0 a CPU that goes takes along what it had lost and not told.
  if (hasFeature("perfLost")) assertEquals(perf.lost, online.length * 2);
});

const SWITCH = "/sys/devices/system/cpu/cpu1/online";

/** Only of a machine of its own a CPU may be taken. */
function mayTakeCpu(): boolean {
  try {
    return Deno.env.get("DEBPF_VM") === "1" && Deno.statSync(SWITCH).isFile;
  } catch {
    return false;
  }
}

Deno.test({
  name: "perf buffer: a CPU that is taken off and put on again is read again, and what it sent before is not lost",
  ignore: needs({ bpf: true, btf: true }).ignore || !mayTakeCpu(),
  fn: run("clang19", async ({ collection, emit }) => {
    const perf = new PerfBuffer(collection.map("events"));
    using _closed = perf;
    const until = async (cpus: number[]) => {
      while (perf.cpus.join() !== cpus.join()) await perf.readable();
    };
    const online = perf.cpus;
    assert(online.includes(1));
    emit("emit", 3, 0, 1);
    Deno.writeTextFileSync(SWITCH, "0");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await perf.readable();
    // Its records are read before its buffer goes.
    assertEquals([perf.cpus, perf.drain(() => {})], [online, 3]);
    await until(online.filter((cpu) => cpu !== 1));
    Deno.writeTextFileSync(SWITCH, "1");
    await until(online);
    assertEquals([emit("emit", 5, 0, 1), emit("emit", 5, 0, 0), perf.drain(() => {})], [0, 0, 10]);
  }),
});

test("has one reader at a time, and is nothing but a perf event array", ({ collection }) => {
  const map = collection.map("events");
  {
    using _first = new PerfBuffer(map);
    assertThrows(() => new PerfBuffer(map), Error, 'perf event array "events" is being read already');
  }
  new PerfBuffer(map).close();
  assertThrows(() => new PerfBuffer(map, { pages: 3 }), RangeError, "pages: 3 is no power of two");
  assertThrows(() => new PerfBuffer(collection.map("scratch")), UnsupportedError, "is not a perf event array");
  assertThrows(() => new RingBuffer(map), UnsupportedError, "is not a ring buffer");
});

test("may be closed by its own handler, and is not drained by it", ({ collection, emit }) => {
  const perf = new PerfBuffer(collection.map("events"));
  emit("emit", 3);
  assertThrows(() => perf.drain(() => perf.drain(() => {})), Error, "is being drained already");
  assertEquals(perf.drain(() => perf.close()), 1);
  assertEquals([perf.closed, perf.drain(() => {}), perf.next(() => {}), perf.usedBytes, perf.lost], [
    true,
    0,
    false,
    0,
    0,
  ]);
});

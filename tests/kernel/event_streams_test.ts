/**
 * Streams of events: waiting, leaving, closing, sharing; and what is left open afterwards.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Collection, EventStream, type EventValue, RingBuffer, UnsupportedError } from "../../mod.ts";
import { inRepository, needs, openFds } from "../support/mod.ts";
import { args, objectSpec, Starts } from "./support.ts";

const CHILD = inRepository("tests", "kernel", "stream_child.ts");
const OBJECT = inRepository("testdata", "clang19", "events.bpf.o");

interface Fixture {
  readonly collection: Collection;
  /** Runs a program with `n`. */
  readonly emit: (program: string, n: number) => number;
  /** Opens the events of the ring `tagged`. */
  readonly tagged: (options?: { signal?: AbortSignal }) => EventStream<EventValue>;
}

/** A test that has as many open files afterwards as before. */
function test(name: string, fn: (fixture: Fixture) => void | Promise<void>): void {
  Deno.test({
    name: `event stream: ${name}`,
    ...needs({ bpf: true, btf: true }),
    fn: async () => {
      using collection = Collection.load(objectSpec("clang19", "events"));
      const before = openFds().size;
      await fn({
        collection,
        emit: (program, n) => collection.program(program).run({ ctx: args(n, 0) }).returnValue,
        tagged: (options) => collection.events("tagged", options),
      });
      // The thread of a wait that was ended has to return before the last descriptors go.
      for (let i = 0; i < 200 && openFds().size !== before; i++) await delay(5);
      assertEquals(openFds().size, before);
    },
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function numbers(events: readonly EventValue[]): unknown[] {
  return events.map(({ u32 }) => u32);
}

test("events that come while it waits come in order", async ({ emit, tagged }) => {
  const read: unknown[] = [];
  let emitted = 0;
  const timer = setInterval(() => emit("emit_tagged", emitted++), 1);
  for await (const event of tagged()) {
    read.push(event.u32);
    if (read.length === 20) break;
  }
  clearInterval(timer);
  assertEquals(read, Array.from({ length: 20 }, (_, i) => i));
});

test("leaving the loop closes it and leaves the rest to the next stream", async ({ emit, tagged }) => {
  emit("emit_many", 100);
  const first: EventValue[] = [];
  const stream = tagged();
  for await (const event of stream) if (first.push(event) === 40) break;
  assert(stream.closed);
  using second = tagged();
  assertEquals([...numbers(first), ...numbers(second.take())], Array.from({ length: 100 }, (_, i) => i));
});

test("an exception in the loop closes it", async ({ emit, tagged }) => {
  emit("emit_many", 3);
  const stream = tagged();
  const loop = async () => {
    for await (const event of stream) throw new TypeError(`the user's, at ${event.u32}`);
  };
  await assertRejects(loop, TypeError, "the user's, at 0");
  assert(stream.closed);
});

test("close() ends a loop that waits, and one that reads", async ({ emit, tagged }) => {
  const waits = tagged();
  setTimeout(() => waits.close(), 5);
  for await (const event of waits) throw new Error(`unexpected ${event}`);
  emit("emit_many", 10);
  const reads = tagged();
  let count = 0;
  for await (const _ of reads) if (++count === 2) reads.close();
  assertEquals(count, 2);
  reads.close();
  assertEquals([reads.take(), reads.closed], [[], true]);
});

test("an abort signal closes it, also one that was aborted before", async ({ tagged }) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 5);
  for await (const event of tagged({ signal: controller.signal })) throw new Error(`unexpected ${event}`);
  const late = tagged({ signal: controller.signal });
  assert(late.closed);
  for await (const event of late) throw new Error(`unexpected ${event}`);
});

test("closing the collection ends the loops over its events", async () => {
  const collection = Collection.load(objectSpec("clang19", "events"));
  setTimeout(() => collection.close(), 5);
  for await (const event of collection.events("tagged")) throw new Error(`unexpected ${event}`);
});

test("of two streams that wait one is closed, the other gets its event", async ({ collection, emit, tagged }) => {
  const closed = tagged();
  using open = collection.events("two_kinds");
  const first = closed[Symbol.asyncIterator]().next();
  const second = open[Symbol.asyncIterator]().next();
  await delay(2);
  closed.close();
  assertEquals(await first, { done: true, value: undefined });
  emit("emit_two", 1);
  assertEquals((await second).value?.flags, 3);
});

test("several rings in one loop", async ({ collection, emit }) => {
  const maps = ["tagged", "two_kinds", "by_output", "anchored", "untyped"];
  const controller = new AbortController();
  const got: string[] = [];
  const loops = maps.map(async (map) => {
    for await (const { value } of collection.typedEvents(map, { signal: controller.signal })) {
      got.push(`${map} ${value instanceof Uint8Array ? value.length : Object.keys(value).length}`);
      if (got.length === 6) controller.abort();
    }
  });
  for (const program of ["emit_two", "emit_output", "emit_anchored", "emit_untyped", "emit_tagged"]) {
    await delay(1);
    emit(program, 1);
  }
  await Promise.all(loops);
  assertEquals(got.sort(), ["anchored 2", "by_output 2", "tagged 18", "two_kinds 3", "two_kinds 4", "untyped 12"]);
});

test("timers get their turn while events never cease", async ({ emit, tagged }) => {
  let fired = false;
  setTimeout(() => fired = true, 1);
  emit("emit_many", 100);
  for await (const { u32 } of tagged()) {
    if (fired) break;
    if (u32 === 0) emit("emit_many", 100);
  }
});

test("a ReadableStream of it can be cancelled while it waits", async ({ emit, tagged }) => {
  emit("emit_many", 2);
  const stream = tagged();
  const reader = ReadableStream.from(stream).getReader();
  assertEquals([(await reader.read()).value?.u32, (await reader.read()).value?.u32], [0, 1]);
  const pending = reader.read();
  await delay(2);
  await reader.cancel();
  assertEquals([(await pending).done, stream.closed], [true, true]);
});

test("next() called ahead gives events in the order of the calls", async ({ emit, tagged }) => {
  using stream = tagged();
  const iterator = stream[Symbol.asyncIterator]();
  const first = [iterator.next(), iterator.next()];
  emit("emit_many", 5);
  const results = await Promise.all([...first, iterator.next(), iterator.next(), iterator.next()]);
  assertEquals(results.map(({ value }) => value?.u32), [0, 1, 2, 3, 4]);
  const last = iterator.next();
  assertEquals(await iterator.return!(), { done: true, value: undefined });
  assertEquals([await last, await iterator.next()], new Array(2).fill({ done: true, value: undefined }));
});

test("a decoder that throws ends the loop, and take() after the events before it", async ({ collection, emit }) => {
  const open = () =>
    new EventStream(new RingBuffer(collection.map("tagged")), (view, offset) => {
      const number = view.getUint32(offset + 8, true);
      if (number === 2) throw new TypeError("no two");
      return number;
    });
  emit("emit_many", 5);
  const read: number[] = [];
  const loop = async () => {
    for await (const number of open()) read.push(number);
  };
  await assertRejects(loop, TypeError, "no two");
  assertEquals(read, [0, 1]);
  emit("emit_many", 3);
  using stream = open();
  assertEquals(stream.take(), [3, 4, 0, 1]);
  assertThrows(() => stream.take(), TypeError, "no two");
  assertEquals(stream.take(), []);
});

test("records that nobody is woken for are read all the same", async () => {
  using collection = Collection.load(objectSpec("clang19", "ring_truth"));
  const emit = (first: number) =>
    collection.program("quiet").run({ ctx: new Uint8Array(Uint32Array.of(1, 0, first, 0).buffer) });
  const read: unknown[] = [];
  setTimeout(() => emit(1), 5);
  for await (const { number } of collection.events("records")) {
    if (read.push(number) === 2) emit(3);
    if (read.length === 4) break;
  }
  assertEquals(read, [1, 2, 3, 4]);
});

test("a ring has one reader at a time", ({ collection, tagged }) => {
  {
    using _first = tagged();
    assertThrows(tagged, Error, 'ring buffer "tagged" is being read already');
  }
  tagged().close();
  const map = collection.map("tagged");
  assertThrows(() => collection.events("tagged", { batch: 0 }), RangeError, "batch: 0 is no positive number of events");
  new RingBuffer(map).close();
});

test("only ring buffers can be read", ({ collection }) => {
  const [map] = [...collection.maps.keys()].filter((name) => name.endsWith(".bss"));
  assertThrows(() => collection.typedEvents(map!), UnsupportedError, "is not a ring buffer (BPF_MAP_TYPE_RINGBUF)");
});

test("a ring buffer may be closed by its own handler", ({ collection, emit }) => {
  emit("emit_many", 5);
  const ring = new RingBuffer(collection.map("tagged"));
  let last: unknown;
  const count = ring.drain((view, offset, length) => {
    ring.close();
    last = [view.getUint32(offset + 8, true), length];
  });
  assertEquals([count, last, ring.closed, ring.drain(() => {}), ring.next(() => {})], [1, [0, 88], true, 0, false]);
  using again = new RingBuffer(collection.map("tagged"));
  assertEquals(again.drain(() => {}), 4);
});

test("a ring buffer refuses to be drained by its own handler", ({ collection, emit }) => {
  emit("emit_many", 2);
  using ring = new RingBuffer(collection.map("tagged"));
  assertThrows(() => ring.drain(() => ring.drain(() => {})), Error, 'ring buffer "tagged" is being drained already');
  assertEquals(ring.drain(() => {}), 1);
});

test("a ring buffer goes on when its map is closed", async () => {
  const collection = Collection.load(objectSpec("clang19", "events"));
  using ring = new RingBuffer(collection.map("tagged"));
  collection.program("emit_many").run({ ctx: args(3, 0) });
  collection.close();
  await ring.readable();
  assertEquals(ring.drain(() => {}), 3);
});

Deno.test({
  name: "a program that has closed its streams ends",
  ...needs({ bpf: true, btf: true }),
  fn: async () => {
    await using child = new Child(["-A", CHILD, "closes", OBJECT]);
    assertEquals([await child.line(), await child.line(), await child.line()], ["waiting", "closed", undefined]);
    assertEquals(await child.status, { success: true, code: 0, signal: null });
  },
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `a program that only waits for events lives until ${signal}`,
    ...needs({ bpf: true, btf: true }),
    fn: async () => {
      await using child = new Child(["-A", CHILD, "waits", OBJECT]);
      assertEquals(await child.line(), "waiting");
      await delay(400);
      assertEquals(child.ended, false);
      child.kill(signal);
      assertEquals((await child.status).signal, signal);
    },
  });

  Deno.test({
    name: `debpf run prints until ${signal}, then says that all is well`,
    ...needs({ bpf: true, btf: true, program: "true" }),
    fn: async () => {
      await using child = new Child(["--allow-ffi", inRepository("cli.ts"), "run", "-j"]);
      await using _starts = new Starts();
      const event = JSON.parse(await child.line() ?? "");
      assertEquals([event.map, event.type], ["events", "exec_event"]);
      child.kill(signal);
      assertEquals((await child.status).code, 0);
    },
  });
}

/** A Deno process whose output is read line by line; killed when the test leaves its scope. */
class Child implements AsyncDisposable {
  readonly status: Promise<Deno.CommandStatus>;
  ended = false;
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(args: string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.status = this.#process.status.finally(() => this.ended = true);
    this.#lines = linesOf(this.#process.stdout);
  }

  /** The next line of its output; `undefined` at its end. */
  async line(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : value;
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.ended) this.#process.kill("SIGKILL");
    await this.status;
    await this.#lines.return?.();
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

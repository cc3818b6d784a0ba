/**
 * Ways to read a ring buffer: views that live as long as their batch, streams of the web platform, types that a function
 * tells apart.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Collection, RingBuffer } from "../../mod.ts";
import { inject } from "../ffi/sys/inject.ts";
import { needs, openFds } from "../support/mod.ts";
import { args, objectSpec } from "./support.ts";

type Emit = (program: string, n: number) => number;

function test(name: string, fn: (collection: Collection, emit: Emit) => void | Promise<void>): void {
  Deno.test({
    name: `events: ${name}`,
    ...needs({ bpf: true, btf: true }),
    fn: async () => {
      using collection = Collection.load(objectSpec("clang19", "events"));
      const before = openFds().size;
      await fn(collection, (program, n) => collection.program(program).run({ ctx: args(n, 0) }).returnValue);
      for (let i = 0; i < 200 && openFds().size !== before; i++) await new Promise((resolve) => setTimeout(resolve, 5));
      assertEquals(openFds().size, before);
    },
  });
}

/** Offset of `u32` in struct tagged_event. */
const NUMBER = 8;

function sequence(length: number, first = 0): number[] {
  return Array.from({ length }, (_, i) => first + i);
}

test("a batch's views are the ring's memory; one used later throws", (collection, emit) => {
  using ring = new RingBuffer(collection.map("tagged"));
  emit("emit_many", 10);
  const batch = ring.batch(4);
  assertEquals(Array.from(batch, (record) => record.getUint32(NUMBER, true)), sequence(4));
  assertEquals([batch.length, batch.records[0]!.byteLength, ring.usedBytes], [4, 88, 960]);
  // Nothing else is read meanwhile.
  assertThrows(() => ring.drain(() => {}), Error, "is being drained already");
  assertThrows(() => ring.batch(), Error, "is being drained already");
  batch[Symbol.dispose]();
  batch[Symbol.dispose]();
  assertThrows(() => batch.records[0]!.getUint32(NUMBER, true), TypeError);
  assertThrows(() => new Uint8Array(batch.records[0]!.buffer), TypeError);
  assertThrows(() => batch.records[0]!.byteLength, TypeError);
  assertEquals(ring.usedBytes, 576);
  using rest = ring.batch();
  assertEquals(Array.from(rest, (record) => record.getUint32(NUMBER, true)), sequence(6, 4));
  using empty = new RingBuffer(collection.map("two_kinds"));
  assertEquals([...empty.batch()], []);
});

test("closing the ring ends its batch", (collection, emit) => {
  emit("emit_many", 2);
  const ring = new RingBuffer(collection.map("tagged"));
  const batch = ring.batch();
  const [first] = batch.records;
  ring.close();
  assertThrows(() => first!.getUint8(0), TypeError);
  assertEquals([ring.closed, ring.batch().length], [true, 0]);
  batch[Symbol.dispose]();
  using again = new RingBuffer(collection.map("tagged"));
  assertEquals(again.drain(() => {}), 0);
});

test(
  "batches, drain() and next() go on where the other one was",
  (collection, emit) => {
    using ring = new RingBuffer(collection.map("tagged"), { atomics: true });
    const read: number[] = [];
    for (let round = 0; round < 300; round++) {
      emit("emit_many", 30);
      {
        using batch = ring.batch(10);
        for (const record of batch) read.push(record.getUint32(NUMBER, true));
      }
      ring.next((view, offset) => read.push(view.getUint32(offset + NUMBER, true)));
      ring.drain((view, offset) => read.push(view.getUint32(offset + NUMBER, true)));
    }
    assertEquals(read, sequence(300).flatMap(() => sequence(30)));
  },
);

test("a ReadableStream of JSON lines is piped to a file, until an abort", async (collection, emit) => {
  const controller = new AbortController();
  const path = await Deno.makeTempFile();
  const file = await Deno.open(path, { write: true });
  const stream = collection.events("tagged", { signal: controller.signal });
  emit("emit_many", 50);
  let written = 0;
  const counter = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      written += chunk.filter((byte) => byte === 10).length;
      controller.enqueue(chunk);
    },
  });
  const piped = stream.toJsonLines().pipeThrough(counter).pipeTo(file.writable);
  setTimeout(() => emit("emit_tagged", 7), 5);
  while (written < 51) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort();
  await piped;
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
  await Deno.remove(path);
  assertEquals(lines.slice(0, 50).map((line) => JSON.parse(line).u32), sequence(50));
  assert(lines[50]!.includes('"u64":30064771079,'), lines[50]);
  assert(stream.closed);
});

test("an HTTP response streams events; who hangs up closes the stream", async (collection, emit) => {
  const streams: { closed: boolean }[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
    const stream = collection.events("tagged");
    streams.push(stream);
    return new Response(stream.toJsonLines(), { headers: { "content-type": "application/x-ndjson" } });
  });
  emit("emit_many", 3);
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
  const reader = response.body!.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let text = "";
  while (text.split("\n").length < 4) text += (await reader.read()).value ?? "";
  assertEquals(text.trimEnd().split("\n").map((line) => JSON.parse(line).u32), [0, 1, 2]);
  await reader.cancel();
  while (!streams[0]!.closed) {
    emit("emit_tagged", 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

test("toReadableStream() gives objects, and ends when the stream is closed", async (collection, emit) => {
  emit("emit_many", 5);
  const stream = collection.events("tagged");
  const numbers: unknown[] = [];
  await stream.toReadableStream().pipeTo(
    new WritableStream({
      write: ({ u32 }) => {
        if (numbers.push(u32) === 5) stream.close();
      },
    }),
  );
  assertEquals(numbers, sequence(5));
});

test("a JSON stream fails with what its decoder throws, and closes", async (collection, emit) => {
  emit("emit_two", 1);
  const stream = collection.events("two_kinds", { typeOf: () => "no_event" });
  const error = await stream.toJsonLines().getReader().read().catch((error) => error);
  assert(error instanceof TypeError && stream.closed, String(error));
  const candidates = 'map "two_kinds": no struct "no_event" is a candidate for its records; there are:';
  assert(error.message.startsWith(candidates), error.message);
});

test("a function says which type a record has", (collection, emit) => {
  emit("emit_two", 1);
  emit("emit_two", 2);
  // What is longer than the struct is not looked at.
  using first = collection.typedEvents("two_kinds", {
    typeOf: (view, offset) => view.getBigUint64(offset, true) === 1n ? "close_event" : undefined,
  });
  assertEquals(first.take().map(({ type }) => type?.name), ["close_event", "close_event", "open_event", "close_event"]);
  first.close();
  emit("emit_two", 3);
  using second = collection.typedEvents("two_kinds", { typeOf: () => "open_event" });
  const [opened] = [second.take()].flat().slice(0, 1);
  assertEquals(opened?.type?.name, "open_event");
});

test("while events flow they are read without waiting in the kernel", async (collection, emit) => {
  let waits = 0;
  using _ = inject("epollWaitAsync", (real) => (...args) => (waits++, real(...args)));
  const timer = setInterval(() => emit("emit_many", 300), 1);
  let read = 0;
  let waitsBefore = 0;
  for await (const _ of collection.events("tagged")) {
    if (++read === 30_000) waitsBefore = waits;
    if (read === 60_000) break;
  }
  clearInterval(timer);
  // 100 times they came; a machine that stops for a while makes some of them seldom.
  assert(waits - waitsBefore < 50, `${waits - waitsBefore}`);
});

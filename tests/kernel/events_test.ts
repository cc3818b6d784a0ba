/**
 * Events of real ring buffers: their types, and the ways to read them. What the programs send is told in
 * testdata/events.bpf.c.
 *
 * @module
 */
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { Collection, compileReader, findEventTypes, RingBuffer, type StructType, UnsupportedError } from "../../mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { inRepository, needs, runCli } from "../support/mod.ts";
import { args, COMPILERS, objectSpec, Starts } from "./support.ts";

const TAGGED = {
  u8: 7,
  i8: -1,
  u16: 7,
  i16: -2,
  u32: 7,
  i32: -3,
  u64: 7n << 32n | 7n,
  i64: -4n,
  flag: true,
  state: "STATE_RUNNING",
  low: 5,
  high: -2,
  comm: "tagged",
  bytes: [1, 2, 3, 4, 5, 6],
  words: [7, 8, 9],
  where: { x: -7, y: 7 },
  either: { number: 0x01020304, parts: HOST_BYTE_ORDER === "little" ? [4, 3, 2, 1] : [1, 2, 3, 4] },
  inside: 77,
};

for (const compiler of COMPILERS) {
  const test = (name: string, fn: (collection: Collection, emit: (program: string, n: number) => number) => void) =>
    Deno.test({
      name: `${compiler}/events: ${name}`,
      ...needs({ bpf: true, btf: true }),
      fn: () => {
        using collection = Collection.load(objectSpec(compiler, "events"));
        fn(collection, (program, n) => collection.program(program).run({ ctx: args(n, 0) }).returnValue);
      },
    });

  test("every member of a tagged event has its value", (collection, emit) => {
    assertEquals(emit("emit_tagged", 7), 0);
    using events = collection.events("tagged");
    assertEquals([events.take(), events.take()], [[TAGGED], []]);
  });

  test("two types in one ring are told apart by length", (collection, emit) => {
    assertEquals([emit("emit_two", 8), emit("emit_two", 9)], [0, 0]);
    using events = collection.typedEvents("two_kinds");
    assertEquals(events.take().map(({ type, value }) => [type?.name, value]), [
      ["open_event", { id: 8n, flags: 3, mode: 0o644, fd: 9n }],
      ["close_event", { id: 8n, result: -2, fd: 9 }],
      ["open_event", { id: 9n, flags: 3, mode: 0o644, fd: 10n }],
      ["close_event", { id: 9n, result: -2, fd: 10 }],
    ]);
  });

  test("an event by bpf_ringbuf_output, and one whose struct only an anchor names", (collection, emit) => {
    assertEquals([emit("emit_output", 1), emit("emit_anchored", 2)], [0, 0]);
    using output = collection.events("by_output");
    using anchored = collection.events("anchored");
    assertEquals(output.take(), [{ sequence: 1n, text: "output" }]);
    assertEquals(anchored.take(), [{ a: 2, b: 3n }]);
  });

  test("without a type: bytes, and typed events are refused with the line of C to add", (collection, emit) => {
    assertEquals(emit("emit_untyped", 1), 0);
    const error = assertThrows(() => collection.events("untyped"), UnsupportedError);
    const line = '"DEBPF_EVENT(untyped, STRUCT);"';
    assertEquals(error.message, `map "untyped": records of 12 bytes have no type: add ${line} to the C source`);
    using events = collection.typedEvents("untyped");
    const [event] = events.take();
    assertEquals(event, { type: undefined, value: new Uint8Array(Uint32Array.of(1, 2, 3).buffer) });
  });

  test("a discarded record is not seen", (collection, emit) => {
    assertEquals(emit("emit_discarded", 5), 0);
    using events = collection.events("tagged");
    assertEquals(events.take().map(({ u32 }) => u32), [5]);
  });

  test("what the user says comes before what the object says", (collection, emit) => {
    assertEquals(emit("emit_two", 1), 0);
    const types = findEventTypes(collection.spec, { types: new Map([["two_kinds", ["close_event"]]]) });
    {
      using events = collection.typedEvents("two_kinds", { types: types.get("two_kinds") });
      const [opened, closed] = events.take();
      assertEquals([opened!.type, closed!.type?.name], [undefined, "close_event"]);
      assertInstanceOf(opened!.value, Uint8Array);
    }
    assertEquals([emit("emit_two", 2), emit("emit_two", 3)], [0, 0]);
    using events = collection.events("two_kinds", { types: types.get("two_kinds") });
    const refused = () => assertThrows(() => events.take(), UnsupportedError, "records of 24 bytes have no type");
    refused();
    assertEquals(events.take(), [{ id: 2n, result: -2, fd: 3 }]);
    refused();
    assertEquals(events.take(), [{ id: 3n, result: -2, fd: 4 }]);
  });

  test("a full ring gives all it has, and has room again", (collection, emit) => {
    let produced = 0;
    let dropped = 0;
    while (dropped === 0) {
      dropped += emit("emit_many", 1000);
      produced += 1000;
    }
    using events = collection.events("tagged", { batch: 1500 });
    const numbers: unknown[] = [];
    for (let batch = events.take(); batch.length > 0; batch = events.take()) {
      assert(batch.length <= 1500);
      numbers.push(...batch.map(({ u32 }) => u32));
    }
    assertEquals(numbers, Array.from({ length: produced - dropped }, (_, i) => i % 1000));
    assertEquals(emit("emit_many", 1000), 0);
    assertEquals(events.take().length, 1000);
  });

  test("records of no bytes and of the largest size", () => {
    const spec = objectSpec(compiler, "ring_truth");
    spec.maps.get("records")!.maxEntries = 4096;
    using collection = Collection.load(spec);
    using ring = new RingBuffer(collection.map("records"));
    const run = (program: string) => collection.program(program).run().returnValue;
    for (let round = 0; round < 10; round++) {
      const records: [number, number][] = [];
      const keep = (view: DataView, offset: number, length: number): void => {
        records.push([length, length === 0 ? 0 : view.getUint8(offset + length - 1)]);
      };
      assertEquals([run("empty"), ring.drain(keep)], [0, 1]);
      assertEquals([run("largest"), run("empty"), ring.drain(keep)], [0, 1, 1]);
      assertEquals(records, [[0, 0], [4080, 0xff]]);
    }
  });

  test("flyweight readers read members from the ring's own memory", (collection, emit) => {
    assertEquals(emit("emit_many", 100), 0);
    const type = findEventTypes(collection.spec).get("tagged")!.candidates[0] as StructType;
    const event = new (compileReader<{ u32: number; comm: string }>(type, { order: HOST_BYTE_ORDER }))();
    using ring = new RingBuffer(collection.map("tagged"));
    let sum = 0;
    const count = ring.drain((view, offset, length) => sum += event.at(view, offset, length).u32);
    assertEquals([count, sum], [100, 4950]);
    assertEquals(emit("emit_tagged", 7), 0);
    ring.drain((view, offset) => assertEquals(event.at(view, offset).toObject(), TAGGED));
  });
}

Deno.test({
  name: "debpf run -j prints one object a line, with type and members of the event",
  ...needs({ bpf: true, btf: true, program: "true" }),
  fn: async () => {
    await using _starts = new Starts();
    const object = inRepository("examples", "execsnoop", "execsnoop.bpf.o");
    const { code, stdout, stderr } = await runCli(["run", object, "-j", "--count", "2"]);
    assertEquals([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ map, type }) => [map, type]), new Array(2).fill(["events", "exec_event"]));
    for (const { event } of lines) {
      assertEquals(Object.keys(event), ["time", "pid", "ppid", "uid", "comm", "filename"]);
      assert(Number.isInteger(event.pid) && typeof event.comm === "string", JSON.stringify(event));
    }
  },
});

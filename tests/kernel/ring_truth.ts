/**
 * Reads numbered records while other threads produce them, and holds each against what it has to be:
 * `ring_truth.ts OBJECT WAY COUNT PRODUCERS`, WAY being drain, take or iterate. Prints what it counted as JSON.
 *
 * @module
 */
import { type BtfType, Collection, compileReader, findEventTypes, openCollectionSpec, RingBuffer } from "../../mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import type { ProducerResult, ProducerTask } from "./ring_producer.ts";

/** What was counted. */
export interface Truth {
  /** Records that arrived. */
  received: number;
  /** Records that producers say did not fit. */
  dropped: number;
  /** Records that producers discarded on purpose. */
  discarded: number;
  /** Records out of order, twice, of the wrong size or with a wrong byte. */
  wrong: number;
}

interface NumberedRecord {
  number: number;
  producer: number;
  check: number;
  words: number[];
}

const WORDS = [2, 6, 61];
const PER_RUN = 500;
const RING_BYTES = 256 * 1024;

/** Counts what arrives, and what of it is wrong. */
class Checker {
  received = 0;
  wrong = 0;
  readonly #last = new Map<number, number>();

  record({ number, producer, check, words }: NumberedRecord, length: number): void {
    this.received++;
    let sum = number ^ producer;
    for (const word of words) sum ^= word;
    const wordsRight = words.every((word, i) => word === (Math.imul(number, 31) + i >>> 0));
    const sizeRight = words.length === WORDS[number % 3] && length === 12 + words.length * 4;
    const orderRight = number > (this.#last.get(producer) ?? -1);
    if (!wordsRight || !sizeRight || !orderRight || sum >>> 0 !== check || number % 13 === 0) this.wrong++;
    this.#last.set(producer, number);
  }
}

/** Starts the producers; the result resolves when all are done. */
async function produce(collection: Collection, count: number, producers: number): Promise<ProducerResult> {
  const programFd = collection.program("produce").fd;
  const results = await Promise.all(
    Array.from({ length: producers }, (_, producer) =>
      new Promise<ProducerResult>((resolve, reject) => {
        const worker = new Worker(new URL("ring_producer.ts", import.meta.url), { type: "module" });
        worker.onmessage = ({ data }: MessageEvent<ProducerResult>) => resolve(data);
        worker.onerror = reject;
        worker.postMessage({ programFd, producer, count: count / producers, perRun: PER_RUN } satisfies ProducerTask);
      })),
  );
  return {
    dropped: results.reduce((sum, { dropped }) => sum + dropped, 0),
    discarded: results.reduce((sum, { discarded }) => sum + discarded, 0),
  };
}

/** By flyweight readers, from the ring's own memory. */
async function byDrain(collection: Collection, done: () => boolean, checker: Checker): Promise<void> {
  const types = findEventTypes(collection.spec).get("records")!.bySize;
  const readers = new Map([...types].map(([size, type]) => [size, readerOf(type)]));
  using ring = new RingBuffer(collection.map("records"));
  for (;;) {
    const last = done();
    const count = ring.drain((view, offset, length) => {
      checker.record(readers.get(length)!.at(view, offset), length);
    });
    if (last && count === 0) return;
    await ring.readable();
  }
}

function readerOf(type: BtfType) {
  return new (compileReader<NumberedRecord>(type, { order: HOST_BYTE_ORDER }))();
}

/** As objects, batch by batch. */
async function byTake(collection: Collection, done: () => boolean, checker: Checker): Promise<void> {
  using stream = collection.typedEvents("records", { batch: 100 });
  for (;;) {
    const last = done();
    const events = stream.take();
    for (const { type, value } of events) checker.record(value as unknown as NumberedRecord, type!.size);
    if (last && events.length === 0) return;
    await stream.readable();
  }
}

/** As objects, one by one, until nothing is missing. */
async function byIterating(collection: Collection, expected: Promise<number>, checker: Checker): Promise<void> {
  using stream = collection.typedEvents("records");
  let total = Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  expected.then((count) => {
    total = count;
    // Ends the loop if what is missing never comes.
    timer = setTimeout(() => stream.close(), checker.received < total ? 5000 : 0);
  });
  for await (const { type, value } of stream) {
    checker.record(value as unknown as NumberedRecord, type!.size);
    if (checker.received >= total) break;
  }
  clearTimeout(timer);
}

async function truth(object: string, way: string, count: number, producers: number): Promise<Truth> {
  const spec = openCollectionSpec(object);
  spec.maps.get("records")!.maxEntries = RING_BYTES;
  using collection = Collection.load(spec);
  const checker = new Checker();
  let finished = false;
  const produced = produce(collection, count, producers).finally(() => finished = true);
  const done = () => finished;
  if (way === "drain") await byDrain(collection, done, checker);
  else if (way === "take") await byTake(collection, done, checker);
  else await byIterating(collection, produced.then((made) => count - made.dropped - made.discarded), checker);
  const { received, wrong } = checker;
  return { received, ...await produced, wrong };
}

if (import.meta.main) {
  const [object, way, count, producers] = Deno.args as [string, string, string, string];
  console.log(JSON.stringify(await truth(object, way, Number(count), Number(producers))));
}

/**
 * Reads numbered records while other threads produce them, and holds each against what it has to be:
 * `ring_truth.ts OBJECT WAY COUNT PRODUCERS [close]`. Prints what it counted as JSON. WAY:
 *
 * - `raw`, `atomics`: from the ring's own memory, by drain(); headers read by plain or by atomic loads;
 * - `batch`: by views that live until their batch ends;
 * - `reader`: by flyweight readers;
 * - `take`, `iterate`: as objects, batch by batch or one by one.
 *
 * With `close`, the map is closed when half of the records have been read.
 *
 * @module
 */
import { type BtfType, Collection, compileReader, findEventTypes, openCollectionSpec, RingBuffer } from "../../mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { ringWords } from "./ring_words.ts";
import type { ProducerResult, ProducerTask } from "./ring_producer.ts";

/** What was counted. */
export interface Truth {
  /** Records that arrived. */
  received: number;
  /** Records that producers say did not fit. */
  dropped: number;
  /** Records that producers discarded on purpose. */
  discarded: number;
  /** Events that the stream says it had to drop. */
  lost: number;
  /** Records out of order, twice, of the wrong size or with a wrong byte. */
  wrong: number;
  /** How many times the ring was filled. */
  wraps: number;
}

interface NumberedRecord {
  number: number;
  producer: number;
  check: number;
  words: number[];
}

/** Where in a record things are, in bytes. */
const RECORD = { number: 0, producer: 4, check: 8, words: 12 } as const;
const PER_RUN = 2000;
/** Of ring_truth; the other one is to wrap often. */
const RING_BYTES = 1 << 20;
const LITTLE = HOST_BYTE_ORDER === "little";

/** How many words a record has, by its number: in ring_truth.bpf.c; in ring_wraps.bpf.c. */
const WORDS = {
  ring_truth: (number: number) => number % 3 === 0 ? 2 : number % 3 === 1 ? 6 : 61,
  ring_wraps: ringWords,
} as const;

/** Counts what arrives, and what of it is wrong. */
class Checker {
  received = 0;
  lost = 0;
  wrong = 0;
  bytes = 0;
  readonly #last = [-1, -1, -1, -1, -1, -1, -1, -1];
  readonly #wordsOf: (number: number) => number;
  readonly #discards: boolean;

  constructor(object: string) {
    const name = /ring_wraps/.test(object) ? "ring_wraps" : "ring_truth";
    this.#wordsOf = WORDS[name];
    this.#discards = name === "ring_truth";
  }

  record({ number, producer, check, words }: NumberedRecord, length: number): void {
    let sum = number ^ producer;
    let right = true;
    for (let i = 0; i < words.length; i++) {
      sum ^= words[i]!;
      if (words[i] !== (Math.imul(number, 31) + i >>> 0)) right = false;
    }
    this.#count(number, producer, words.length, length, right && sum >>> 0 === check);
  }

  bytesOf(view: DataView, offset: number, length: number): void {
    const number = view.getUint32(offset + RECORD.number, LITTLE);
    const producer = view.getUint32(offset + RECORD.producer, LITTLE);
    let sum = number ^ producer;
    let right = true;
    const count = (length - RECORD.words) >> 2;
    for (let i = 0; i < count; i++) {
      const word = view.getUint32(offset + RECORD.words + i * 4, LITTLE);
      sum ^= word;
      if (word !== (Math.imul(number, 31) + i >>> 0)) right = false;
    }
    const check = view.getUint32(offset + RECORD.check, LITTLE);
    this.#count(number, producer, count, length, right && sum >>> 0 === check);
  }

  #count(number: number, producer: number, words: number, length: number, right: boolean): void {
    this.received++;
    this.bytes += (length + 15) & ~7;
    const sizeRight = words === this.#wordsOf(number) && length === RECORD.words + words * 4;
    const orderRight = number > this.#last[producer]! && !(this.#discards && number % 13 === 0);
    if (!right || !sizeRight || !orderRight) this.wrong++;
    this.#last[producer] = number;
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

/** What a way of reading needs. */
interface Reading {
  readonly collection: Collection;
  readonly checker: Checker;
  /** Are the producers done. */
  readonly done: () => boolean;
  /** To be called now and then. */
  readonly look: () => void;
}

/** From the ring's own memory. */
async function fromRing(
  { collection, done, look }: Reading,
  read: (ring: RingBuffer) => number,
  atomics = false,
): Promise<void> {
  using ring = new RingBuffer(collection.map("records"), { atomics });
  for (;;) {
    const last = done();
    const count = read(ring);
    if (last && count === 0) return;
    look();
    await ring.readable();
  }
}

function readBatch(ring: RingBuffer, checker: Checker): number {
  using batch = ring.batch(200);
  for (const record of batch) checker.bytesOf(record, 0, record.byteLength);
  return batch.length;
}

async function byReaders(reading: Reading): Promise<void> {
  const types = findEventTypes(reading.collection.spec).get("records")!.bySize;
  const readers = new Map([...types].map(([size, type]) => [size, readerOf(type)]));
  await fromRing(reading, (ring) =>
    ring.drain((view, offset, length) => {
      reading.checker.record(readers.get(length)!.at(view, offset), length);
    }));
}

function readerOf(type: BtfType) {
  return new (compileReader<NumberedRecord>(type, { order: HOST_BYTE_ORDER }))();
}

/** As objects, batch by batch. */
async function byTake({ collection, checker, done, look }: Reading): Promise<void> {
  using stream = collection.typedEvents("records", { batch: 1000 });
  for (;;) {
    const last = done();
    const events = stream.take();
    checker.lost = stream.lost;
    for (const { type, value } of events) checker.record(value as unknown as NumberedRecord, type!.size);
    if (last && events.length === 0) return;
    look();
    await stream.readable();
  }
}

/** As objects, one by one, until nothing is missing. */
async function byIterating({ collection, checker, look }: Reading, expected: Promise<number>): Promise<void> {
  using stream = collection.typedEvents("records");
  let total = Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  expected.then((count) => {
    total = count;
    // Ends the loop if what is missing never comes.
    timer = setTimeout(() => stream.close(), checker.received + stream.lost < total ? 5000 : 0);
  });
  for await (const { type, value } of stream) {
    checker.record(value as unknown as NumberedRecord, type!.size);
    look();
    if (checker.received + stream.lost >= total) break;
  }
  checker.lost = stream.lost;
  clearTimeout(timer);
}

async function truth(object: string, way: string, count: number, producers: number, close: boolean): Promise<Truth> {
  const spec = openCollectionSpec(object);
  if (/ring_truth/.test(object)) spec.maps.get("records")!.maxEntries = RING_BYTES;
  using collection = Collection.load(spec);
  const map = collection.map("records");
  const sizeBytes = map.info().maxEntries;
  const checker = new Checker(object);
  let finished = false;
  const produced = produce(collection, count, producers).finally(() => finished = true);
  const look = () => {
    if (close && checker.received > 1000) map.close();
  };
  const reading: Reading = { collection, checker, look, done: () => finished };
  const drain = (ring: RingBuffer) => ring.drain((view, offset, length) => checker.bytesOf(view, offset, length));
  if (way === "raw") await fromRing(reading, drain);
  else if (way === "atomics") await fromRing(reading, drain, true);
  else if (way === "batch") await fromRing(reading, (ring) => readBatch(ring, checker));
  else if (way === "reader") await byReaders(reading);
  else if (way === "take") await byTake(reading);
  else await byIterating(reading, produced.then((made) => count - made.dropped - made.discarded));
  const { received, lost, wrong } = checker;
  return { received, ...await produced, lost, wrong, wraps: Math.floor(checker.bytes / sizeBytes) };
}

if (import.meta.main) {
  const [object, way, count, producers, close] = Deno.args as [string, string, string, string, string | undefined];
  console.log(JSON.stringify(await truth(object, way, Number(count), Number(producers), close === "close")));
}

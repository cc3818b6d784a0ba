/**
 * Reading the buffer of a perf event (kernel/events/ring_buffer.c, linux/perf_event.h): what bpf_perf_event_output sends.
 *
 * A record is a header (`u32 type, u16 misc, u16 size`) and its data; sizes are multiples of 8. The buffer is a ring of
 * bytes: a record that wraps is put together in a buffer of its own before it is handed over.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { PerfRecord } from "../../lib/uapi/mod.ts";
import type { RecordHandler } from "./ring.ts";

/** `struct perf_event_mmap_page`: where its positions are, in bytes. */
export const PERF_PAGE = { dataHead: 1024, dataTail: 1032 } as const;
/** `struct perf_event_header`. */
const HEADER = { type: 0, size: 6, bytes: 8 } as const;
/** A sample of `PERF_SAMPLE_RAW`, and maybe `PERF_SAMPLE_TIME`: the header, `u64 time`, `u32 size`, data. */
const SAMPLE = { body: 8, timeBytes: 8, lengthBytes: 4 } as const;
/** `PERF_RECORD_LOST`: the header, `u64 id`, `u64 lost`. */
const LOST = { count: 16 } as const;
/** The size of a record is 16 bits. */
const LARGEST_RECORD = 1 << 16;
const NO_LIMIT = 0x3fff_ffff;
const LITTLE = HOST_BYTE_ORDER === "little";

/** The consumer's side of a perf event's buffer. */
export class PerfRing {
  readonly #head: Int32Array;
  readonly #tail: BigInt64Array;
  readonly #view: DataView;
  readonly #wrapped = new DataView(new ArrayBuffer(LARGEST_RECORD));
  readonly #size: number;
  /** Where in a sample the length of its data is. */
  readonly #lengthAt: number;
  /** Positions count bytes since the buffer was made. */
  #position: number;
  #lost = 0;
  #stopped = false;

  /**
   * @param memory The page of positions, then the data.
   * @param dataOffset Size of the page in bytes.
   * @param timed Do samples carry their time: see {@linkcode perfRecordTime}.
   */
  constructor(memory: ArrayBuffer, dataOffset: number, timed = false) {
    this.#lengthAt = SAMPLE.body + (timed ? SAMPLE.timeBytes : 0);
    this.#head = new Int32Array(memory, PERF_PAGE.dataHead, 1);
    this.#tail = new BigInt64Array(memory, PERF_PAGE.dataTail, 1);
    this.#view = new DataView(memory, dataOffset);
    this.#size = this.#view.byteLength;
    this.#position = Number(this.#tail[0]!);
  }

  /** Records that the kernel says it could not store. */
  get lost(): number {
    return this.#lost;
  }

  /** Bytes of records that are not read yet. */
  get usedBytes(): number {
    return (Atomics.load(this.#head, 0) - (this.#position | 0)) >>> 0;
  }

  /** No record will be read any more, also not by a `drain` that is under way. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Hands records to `handler`, at most `limit`, and gives their space back in one store. Should `handler` throw, the record
   * it was given counts as read.
   *
   * Only what is there when it begins: a program that writes as fast as it is read would hold it for ever.
   *
   * @returns How many records were handed over.
   */
  drain(handler: RecordHandler, limit: number = NO_LIMIT): number {
    const view = this.#view;
    const mask = this.#size - 1;
    const lengthAt = this.#lengthAt;
    const start = this.#position | 0;
    // An atomic load: what is before the head was written before it (perf_output_put_handle()).
    const head = Atomics.load(this.#head, 0);
    let low = start;
    let handed = 0;
    try {
      while (low !== head && handed < limit && !this.#stopped) {
        const offset = low & mask;
        const size = view.getUint16(offset + HEADER.size, LITTLE);
        if (size < HEADER.bytes) throw new RangeError(`a perf buffer has a record of ${size} bytes`);
        const type = view.getUint32(offset + HEADER.type, LITTLE);
        const wraps = offset + size > this.#size;
        const record = wraps ? this.#unwrap(offset, size) : view;
        const at = wraps ? 0 : offset;
        low = (low + size) | 0;
        if (type === PerfRecord.PERF_RECORD_SAMPLE) {
          handed++;
          const length = at + lengthAt;
          handler(record, length + SAMPLE.lengthBytes, record.getUint32(length, LITTLE));
        } else if (type === PerfRecord.PERF_RECORD_LOST) {
          this.#lost += Number(record.getBigUint64(at + LOST.count, LITTLE));
        }
      }
    } finally {
      if (low !== start) {
        this.#position += (low - start) | 0;
        Atomics.store(this.#tail, 0, BigInt(this.#position));
      }
    }
    return handed;
  }

  #unwrap(offset: number, size: number): DataView {
    return unwrap(this.#view, offset, size, this.#wrapped);
  }
}

/**
 * The time of a record of a perf buffer with `timestamps`, in ns of the perf clock.
 *
 * @param view What the handler got.
 * @param offset What the handler got.
 */
export function perfRecordTime(view: DataView, offset: number): bigint {
  return view.getBigUint64(offset - SAMPLE.lengthBytes - SAMPLE.timeBytes, LITTLE);
}

function unwrap(view: DataView, offset: number, size: number, target: DataView): DataView {
  const first = view.byteLength - offset;
  const bytes = new Uint8Array(target.buffer);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset + offset, first));
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, size - first), first);
  return target;
}

/**
 * Hands the records of a buffer that is written from its end towards its beginning (`write_backward`) to `handler`: the
 * last ones, as many as it holds, oldest first. The event has to be paused meanwhile.
 *
 * @param memory The page of positions, then the data.
 * @param dataOffset Size of the page in bytes.
 * @returns How many there were.
 */
export function readOverwritable(memory: ArrayBuffer, dataOffset: number, handler: RecordHandler): number {
  const view = new DataView(memory, dataOffset);
  const size = view.byteLength;
  // The position falls from 0: the newest record begins there, older ones follow.
  const head = Atomics.load(new Int32Array(memory, PERF_PAGE.dataHead, 1), 0) & (size - 1);
  const offsets: number[] = [];
  for (let walked = 0; walked < size;) {
    const offset = (head + walked) & (size - 1);
    const length = view.getUint16(offset + HEADER.size, LITTLE);
    // Nothing was ever written there; or the oldest record, of which the newest has overwritten the end.
    if (length < HEADER.bytes || walked + length > size) break;
    if (view.getUint32(offset + HEADER.type, LITTLE) === PerfRecord.PERF_RECORD_SAMPLE) offsets.push(offset);
    walked += length;
  }
  const wrapped = new DataView(new ArrayBuffer(LARGEST_RECORD));
  for (const offset of offsets.reverse()) {
    const length = view.getUint16(offset + HEADER.size, LITTLE);
    const wraps = offset + length > size;
    const record = wraps ? unwrap(view, offset, length, wrapped) : view;
    const at = wraps ? 0 : offset;
    const lengthAt = at + SAMPLE.body;
    handler(record, lengthAt + SAMPLE.lengthBytes, record.getUint32(lengthAt, LITTLE));
  }
  return offsets.length;
}

/**
 * The memory of a map, shared with the kernel.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import type { MapSpec } from "../../lib/spec/mod.ts";
import { BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";
import type { MapMemory } from "./arena_memory.ts";
import type { ElementCodec } from "./element_codec.ts";
import { mapTypeName } from "./map_type.ts";

/** Values lie at multiples of this (kernel/bpf/arraymap.c, `elem_size`). */
const ALIGNMENT = 8;

/**
 * Live memory of an array or arena. After {@linkcode MapView.close} everything throws, and bytes that were handed out have a
 * length of 0. Memory that can only be read is never handed out: writing to it would kill the process.
 */
export class MapView<V> implements Disposable {
  /** Can it only be read: the map is frozen, or programs only read it. */
  readonly readOnly: boolean;
  /** Number of elements; 0 for an arena. */
  readonly length: number;
  /** Size in bytes. */
  readonly byteLength: number;
  readonly #place: string;
  readonly #memory: MapMemory;
  readonly #data: DataView<ArrayBuffer>;
  readonly #stride: number;
  readonly #codecOf: (() => ElementCodec<V>) | undefined;
  #codec: ElementCodec<V> | undefined;

  /**
   * Maps the memory.
   *
   * @param fd The map; may be closed afterwards.
   * @param spec What it is.
   * @param codec Gives the codec of its values when one is first used.
   * @param memory The memory, where it is mapped already; closed with the view.
   * @throws {UnsupportedError} if its memory cannot be mapped safely.
   * @throws {sys.SyscallError} if the kernel refuses it.
   */
  constructor(fd: number, spec: MapSpec, codec?: () => ElementCodec<V>, memory?: () => MapMemory) {
    this.#place = `map "${spec.name}"`;
    refuseUnmappable(spec);
    const arena = spec.type === BpfMapType.BPF_MAP_TYPE_ARENA;
    const page = sys.pageSize();
    this.#stride = Math.ceil(spec.valueSize / ALIGNMENT) * ALIGNMENT;
    this.length = arena ? 0 : spec.maxEntries;
    this.byteLength = arena ? spec.maxEntries * page : this.length * this.#stride;
    const length = Math.ceil(this.byteLength / page) * page;
    const mapped = memory === undefined ? mapWritableOrNot(fd, length) : { memory: memory(), readOnly: false };
    this.#memory = mapped.memory;
    this.readOnly = mapped.readOnly;
    this.#data = new DataView(mapped.memory.buffer, 0, this.byteLength);
    this.#codecOf = codec;
  }

  /**
   * The memory itself: every read and write is one of shared memory.
   *
   * @throws {TypeError} if it can only be read: use {@linkcode MapView.read} or {@linkcode MapView.get}; and when closed.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#writable(), 0, this.byteLength);
  }

  /**
   * A copy of a part of the memory.
   *
   * @param offset Where it begins, in bytes.
   * @param length Its size in bytes; by default up to the end.
   * @throws {RangeError} if it does not lie inside.
   * @throws {TypeError} when closed.
   */
  read(offset = 0, length: number = this.byteLength - offset): Uint8Array<ArrayBuffer> {
    const buffer = this.#open();
    if (!(offset >= 0 && length >= 0 && offset + length <= this.byteLength)) {
      throw new RangeError(`${this.#place}: ${length} bytes at ${offset} lie outside its ${this.byteLength} bytes`);
    }
    return new Uint8Array(buffer, offset, length).slice();
  }

  /**
   * The value of an element now. One that a program writes meanwhile may be seen half done, as in C.
   *
   * @throws {RangeError} if there is no such element.
   * @throws {TypeError} when closed.
   */
  get(index: number): V {
    return this.#use().decode(this.#data, this.#offset(index));
  }

  /**
   * Changes an element.
   *
   * @throws {RangeError} if there is no such element.
   * @throws {TypeError} if the memory can only be read; and when closed.
   */
  set(index: number, value: V): void {
    const codec = this.#use();
    this.#writable();
    codec.encode(value, this.#data, this.#offset(index), `${this.#place}[${index}]`);
  }

  /**
   * What lies at a byte offset, by a codec of its own: a global variable, something in an arena.
   *
   * @throws {FormatError} if it lies outside.
   * @throws {TypeError} when closed.
   */
  decode<T>(codec: ElementCodec<T>, offset: number): T {
    this.#open();
    return codec.decode(this.#data, offset);
  }

  /**
   * Changes what lies at a byte offset.
   *
   * @param name How errors call it.
   * @throws {RangeError} if it lies outside, or `value` does not fit.
   * @throws {TypeError} if the memory can only be read; and when closed.
   */
  encode<T>(codec: ElementCodec<T>, value: T, offset: number, name: string = this.#place): void {
    this.#writable();
    codec.encode(value, this.#data, offset, name);
  }

  /**
   * Lays a reader (of `compileReader`) over an element: its members are read from the shared memory, live.
   *
   * @returns The reader.
   * @throws {RangeError} if there is no such element.
   * @throws {TypeError} if the memory can only be read: a reader is handed the memory itself; and when closed.
   */
  at<R extends { at(view: DataView, offset: number): unknown }>(index: number, reader: R): R {
    this.#writable();
    reader.at(this.#data, this.#offset(index));
    return reader;
  }

  /** Unmaps it. Closing again does nothing. */
  close(): void {
    this.#memory.close();
  }

  /** As {@linkcode MapView.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): ArrayBuffer {
    if (!this.#memory.closed) return this.#memory.buffer;
    throw new TypeError(`${this.#place}: its memory is no longer mapped: the view or its collection was closed`);
  }

  #writable(): ArrayBuffer {
    const buffer = this.#open();
    if (this.readOnly) throw new TypeError(`${this.#place}: its memory can only be read: use read() or get()`);
    return buffer;
  }

  #use(): ElementCodec<V> {
    this.#open();
    const codec = this.#codec ??= this.#codecOf?.();
    if (codec === undefined) throw new TypeError(`${this.#place}: an arena has no elements: use bytes`);
    return codec;
  }

  #offset(index: number): number {
    if (!(index >= 0 && index < this.length && Number.isInteger(index))) {
      throw new RangeError(`${this.#place}: it has no element ${index}, only 0 to ${this.length - 1}`);
    }
    return index * this.#stride;
  }
}

function refuseUnmappable(spec: MapSpec): void {
  const place = `map "${spec.name}" (${mapTypeName(spec.type)})`;
  const mappable = spec.type === BpfMapType.BPF_MAP_TYPE_ARRAY || spec.type === BpfMapType.BPF_MAP_TYPE_ARENA;
  if (!mappable || (spec.flags & BpfMapFlag.BPF_F_MMAPABLE) === 0) {
    throw new UnsupportedError(
      "mapping its memory",
      `${place}: only arrays and arenas with BPF_F_MMAPABLE can be mapped`,
    );
  }
  if ((spec.flags & BpfMapFlag.BPF_F_SEGV_ON_FAULT) !== 0) {
    throw new UnsupportedError(
      "mapping such arenas",
      `${place}: with BPF_F_SEGV_ON_FAULT, reading a page that no program has allocated would kill the process`,
    );
  }
}

/** EPERM: frozen. EACCES: programs may only read it (BPF_F_RDONLY_PROG), so nobody may get a writable mapping. */
function mapWritableOrNot(fd: number, length: number): { memory: sys.Mapping; readOnly: boolean } {
  try {
    return { memory: sys.mapMemory({ fd, length, writable: true }), readOnly: false };
  } catch (error) {
    if (!(error instanceof sys.SyscallError) || (error.code !== "EPERM" && error.code !== "EACCES")) throw error;
    return { memory: sys.mapMemory({ fd, length }), readOnly: true };
  }
}

/**
 * A BPF map as a live object: a file descriptor, and its elements as JavaScript values.
 *
 * @module
 */
import type { Value } from "../../lib/btf/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import type { MapSpec } from "../../lib/spec/mod.ts";
import { BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import { pin, type PinOptions } from "../pin/mod.ts";
import * as sys from "../sys/mod.ts";
import { arenaMemory } from "./arena_memory.ts";
import { deleteBatch, setBatch } from "./batch.ts";
import { BlockReader } from "./block_reader.ts";
import { clearMap } from "./clear_map.ts";
import { createMap, type MapCreateOptions } from "./create_map.ts";
import { type ElementCodec, elementSize, type HasFd, keyCodec, rawCodec, valueCodec } from "./element_codec.ts";
import { ElementIterator } from "./element_iterator.ts";
import { type LookupFlags, lookupFlags, type LookupOptions, type UpdateFlags, updateFlags } from "./flags.ts";
import { type MapKind, mapKind, mapTypeName } from "./map_type.ts";
import { specOf } from "./spec_of.ts";
import { MapView } from "./view.ts";

/** What {@linkcode BpfMap.getInto} lays over a value: readers of `compileReader` are such. */
export interface ValueReader {
  /** Lays the reader over what begins at `offset` of `view`. */
  at(view: DataView, offset: number): unknown;
}

/** Codecs of keys and values. */
export interface MapCodecs<K, V> {
  /** The codec of keys. */
  readonly key: ElementCodec<K>;
  /** The codec of values; for per-CPU maps one that {@linkcode perCpuCodec} makes. */
  readonly value: ElementCodec<V>;
}

/** Keys and values as bytes. */
type Bytes = Uint8Array<ArrayBuffer>;

/** How a map whose keys or values cannot be asked for is worked with instead. */
const INSTEAD: Partial<Record<MapKind, string>> = {
  queue: "it has no keys: use push(), pop() and peek()",
  filter: "it has no keys: use push() and contains()",
  memory: "it has no elements",
};

/**
 * A live map, to be used like a `Map`. Keys and values are plain JavaScript values of the types that the map was declared
 * with; {@linkcode BpfMap.raw} takes and gives bytes, {@linkcode BpfMap.withCodecs} whatever a codec makes of them.
 *
 * - A per-CPU map's value is an array: one for each possible CPU.
 * - Maps of maps and programs, of sockets, perf events and cgroups take what has a file descriptor (`set(key, map)`), and
 *   give ids where the kernel gives anything.
 * - Queues and stacks have `push`, `pop` and `peek`, bloom filters `push` and `contains`.
 *
 * Closing it closes the file descriptor; the kernel keeps the map while a program, a pin or another process uses it.
 */
export class BpfMap<K = Value, V = Value> implements Disposable, Iterable<[K, V]> {
  /** What it was made from; of a map that was there before, what the kernel says. */
  readonly spec: MapSpec;
  readonly #fd: sys.Fd;
  readonly #place: string;
  readonly #keyName: string;
  readonly #valueName: string;
  readonly #kind: MapKind;
  readonly #elementSize: number;
  readonly #elements: sys.MapElements;
  readonly #keyView: DataView<ArrayBuffer>;
  readonly #valueView: DataView<ArrayBuffer>;
  #key: ElementCodec<K> | undefined;
  #value: ElementCodec<V> | undefined;
  #raw: BpfMap<Bytes, Bytes> | undefined;
  #id: number | undefined;

  private constructor(fd: sys.Fd, spec: MapSpec, codecs?: MapCodecs<K, V>) {
    this.#fd = fd;
    this.spec = spec;
    this.#place = `map "${spec.name}"`;
    this.#keyName = `${this.#place}: key`;
    this.#valueName = `${this.#place}: value`;
    this.#kind = mapKind(spec.type);
    this.#elementSize = elementSize(spec);
    this.#elements = new sys.MapElements(fd, spec.keySize, this.#elementSize, this.#place);
    this.#keyView = new DataView(this.#elements.key.buffer);
    this.#valueView = new DataView(this.#elements.value.buffer);
    this.#key = codecs?.key;
    this.#value = codecs?.value;
  }

  /**
   * Creates the map that `spec` describes, and the template of its inner maps if it has one. Its initial value and contents
   * are not filled in: see {@linkcode BpfMap.fill}.
   *
   * @throws {sys.SyscallError} if the kernel refuses it.
   */
  static create(spec: MapSpec, options: MapCreateOptions = {}): BpfMap {
    return BpfMap.#own(createMap(spec, options), () => spec);
  }

  /**
   * Takes over the file descriptor of a map.
   *
   * @param fd The map; closed if this fails.
   * @param spec What it is, where that is known; else the kernel is asked, and its BTF read when a type is needed.
   * @throws {TypeError} if it is no map.
   */
  static fromFd(fd: sys.Fd, spec?: MapSpec): BpfMap {
    return BpfMap.#own(fd, () => {
      sys.checkObjectKind(fd.value, "map");
      return spec ?? specOf(fd.value);
    });
  }

  /**
   * Opens a map by its id.
   *
   * @throws {sys.SyscallError} if the kernel refuses it: code `ENOENT` if it is gone.
   */
  static fromId(id: number): BpfMap {
    return BpfMap.fromFd(sys.mapGetFdById(id));
  }

  /**
   * Opens a pinned map.
   *
   * @param path Its name in a BPF file system.
   * @throws {sys.SyscallError} if there is none.
   * @throws {TypeError} if something else is pinned there.
   */
  static openPinned(path: string): BpfMap {
    return BpfMap.fromFd(sys.objGet(path));
  }

  static #own(fd: sys.Fd, spec: () => MapSpec): BpfMap {
    using cleanup = new DisposableStack();
    cleanup.use(fd);
    const map = new BpfMap<Value, Value>(fd, spec());
    cleanup.move();
    return map;
  }

  /** Name in its collection. */
  get name(): string {
    return this.spec.name;
  }

  /** `BPF_MAP_TYPE_*`. */
  get type(): BpfMapType {
    return this.spec.type;
  }

  /** Its file descriptor, for calls that this class has no method for. */
  get fd(): number {
    return this.#fd.value;
  }

  /** Its id. */
  get id(): number {
    return this.#id ??= this.info().id;
  }

  /** What the kernel says of it. */
  info(): sys.MapInfo {
    return sys.mapInfo(this.fd);
  }

  /** Size in bytes of a whole value: of per-CPU maps the value size rounded up to 8, for each possible CPU. */
  get valueBytes(): number {
    return this.#elementSize;
  }

  /**
   * The codecs of its keys and values.
   *
   * @throws {UnsupportedError} if nothing says what they are.
   */
  get codecs(): MapCodecs<K, V> {
    return { key: this.#keyCodec(), value: this.#valueCodec() };
  }

  /** The same map with bytes for keys and values. It shares the file descriptor. */
  get raw(): BpfMap<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
    const { keySize } = this.spec;
    return this.#raw ??= this.withCodecs({ key: rawCodec(keySize), value: rawCodec(this.#elementSize) });
  }

  /**
   * The same map with other codecs. It shares the file descriptor: closing one closes both.
   *
   * @throws {RangeError} if a codec is of another size than the map's keys or values.
   */
  withCodecs<K2, V2>(codecs: MapCodecs<K2, V2>): BpfMap<K2, V2> {
    this.#checkSize(codecs.key.size, this.spec.keySize, "keys");
    this.#checkSize(codecs.value.size, this.#elementSize, "values");
    return new BpfMap<K2, V2>(this.#fd, this.spec, codecs);
  }

  /**
   * The element of `key`, or `undefined`.
   *
   * @throws {UnsupportedError} if nothing says what keys and values are: use {@linkcode BpfMap.raw}.
   * @throws {sys.SyscallError} if the kernel refuses it.
   */
  get(key: K, flags?: LookupFlags): V | undefined {
    this.#putKey(key);
    const codec = this.#value ?? this.#valueCodec();
    return this.#elements.lookup(lookupFlags(flags)) ? codec.decode(this.#valueView, 0) : undefined;
  }

  /**
   * Reads the element of `key` without making anything new.
   *
   * @param key The key.
   * @param target Bytes that the value is copied to, of all CPUs where there are several; or a reader, which lies over the
   * map's own copy of the value until the next call.
   * @param flags How.
   * @returns `false` if there is no such element.
   */
  getInto(key: K, target: Uint8Array | ValueReader, flags?: LookupFlags): boolean {
    this.#putKey(key);
    const elements = this.#elements;
    if (!elements.lookup(lookupFlags(flags))) return false;
    if (target instanceof Uint8Array) target.set(elements.value);
    else target.at(this.#valueView, 0);
    return true;
  }

  /** Is there an element of `key`. */
  has(key: K): boolean {
    this.#putKey(key);
    return this.#elements.lookup();
  }

  /**
   * Sets the element of `key`.
   *
   * @param key The key.
   * @param value The value; what has a file descriptor in maps that hold references.
   * @param flags `"any"`, `"noexist"`, `"exist"`, `{ lock: true }`, or the kernel's flags.
   * @throws {sys.SyscallError} if the kernel refuses it: code `EEXIST` or `ENOENT` as `flags` ask for, `E2BIG` if it is full.
   */
  set(key: K, value: V | HasFd, flags?: UpdateFlags): void {
    this.#putKey(key);
    this.#putValue(value as V);
    this.#elements.update(updateFlags(flags));
  }

  /** Removes the element of `key`; `false` if there was none. */
  delete(key: K): boolean {
    this.#putKey(key);
    return this.#elements.delete();
  }

  /** Removes the element of `key` and gives it, or `undefined` (hash maps 5.14). */
  take(key: K, flags?: LookupFlags): V | undefined {
    this.#putKey(key);
    const codec = this.#value ?? this.#valueCodec();
    return this.#elements.lookupAndDelete(lookupFlags(flags)) ? codec.decode(this.#valueView, 0) : undefined;
  }

  /**
   * Adds a value to a queue, a stack or a bloom filter.
   *
   * @param value The value.
   * @param flags `"exist"`: where a queue or stack is full, its oldest value goes.
   * @throws {sys.SyscallError} if the kernel refuses it: code `E2BIG` if it is full.
   */
  push(value: V, flags?: UpdateFlags): void {
    this.#only("push()", "queue", "filter");
    this.#putValue(value);
    this.#elements.update(updateFlags(flags));
  }

  /** Takes the next value of a queue or stack; `undefined` if it is empty. */
  pop(): V | undefined {
    this.#only("pop()", "queue");
    return this.#elements.lookupAndDelete() ? this.#valueCodec().decode(this.#valueView, 0) : undefined;
  }

  /** The next value of a queue or stack, which stays there; `undefined` if it is empty. */
  peek(): V | undefined {
    this.#only("peek()", "queue");
    return this.#elements.lookup() ? this.#valueCodec().decode(this.#valueView, 0) : undefined;
  }

  /** Was a value (or, sometimes, another one) pushed to a bloom filter. */
  contains(value: V): boolean {
    this.#only("contains()", "filter");
    this.#putValue(value);
    return this.#elements.lookup();
  }

  /**
   * Sets many elements, with few system calls where the map's type has batches (5.6).
   *
   * @returns How many were set.
   * @throws {sys.SyscallError} if the kernel refuses one; some are set then.
   */
  setBatch(entries: Iterable<readonly [K, V | HasFd]>, options: LookupOptions = {}): number {
    return setBatch(
      this.#source(),
      this.#keyCodec(),
      this.#valueCodec(),
      entries as Iterable<readonly [K, V]>,
      options,
    );
  }

  /** Removes many elements, as {@linkcode BpfMap.setBatch} sets them; gives how many of them there were. */
  deleteBatch(keys: Iterable<K>): number {
    return deleteBatch(this.#source(), this.#keyCodec(), keys);
  }

  /**
   * Removes all elements and gives them: each exactly once, also while programs add more (hash maps, 5.6).
   *
   * @throws {sys.SyscallError} if the kernel refuses it: code `ENOTSUPP` for types that cannot do it.
   */
  drain(): [K, V][] {
    return [...new ElementIterator(this.#reader({ remove: true }), this.#entry())];
  }

  /**
   * All elements, read by batches where the type has them. Others may add and remove elements meanwhile, so may the loop:
   * what is there all the time is seen once, what comes or goes may be seen or not.
   */
  entries(): IteratorObject<[K, V], undefined> {
    return new ElementIterator(this.#reader(), this.#entry());
  }

  /** As {@linkcode BpfMap.entries}. */
  [Symbol.iterator](): IteratorObject<[K, V], undefined> {
    return this.entries();
  }

  /** All keys, as {@linkcode BpfMap.entries}; in arrays of references also those of empty places. */
  keys(): IteratorObject<K, undefined> {
    const codec = this.#keyCodec();
    const { keySize } = this.spec;
    let keys: Uint8Array | undefined;
    let view: DataView;
    return new ElementIterator(this.#reader({ keysOnly: true }), (reader, index) => {
      if (keys !== reader.keys) view = viewOf(keys = reader.keys);
      return codec.decode(view, index * keySize);
    });
  }

  /** All values, as {@linkcode BpfMap.entries}. */
  values(): IteratorObject<V, undefined> {
    const codec = this.#valueCodec();
    const size = this.#elementSize;
    let values: Uint8Array | undefined;
    let view: DataView;
    return new ElementIterator(this.#reader(), (reader, index) => {
      if (values !== reader.values) view = viewOf(values = reader.values);
      return codec.decode(view, index * size);
    });
  }

  /** Number of elements; the kernel keeps no count, so they are read. */
  count(): number {
    if (this.#kind === "array") return this.spec.maxEntries;
    const reader = this.#reader({ keysOnly: this.#kind === "tree" });
    let count = 0;
    while (reader.read()) count += reader.count;
    return count;
  }

  /**
   * Removes all elements; those of an array, which are always there, become zero.
   *
   * @throws {UnsupportedError} for bloom filters and maps without elements.
   */
  clear(): void {
    clearMap(this.#kind, this.#source());
  }

  /**
   * Puts what `fd` is at `key`: a map, a program, a socket.
   *
   * @param key The key.
   * @param fd The file descriptor.
   */
  setFd(key: K, fd: number): void {
    this.set(key, { fd });
  }

  /** Writes the initial value of global data, and freezes what programs may only read. */
  fill(): void {
    if (this.spec.data === undefined) return;
    this.raw.set(new Uint8Array(4), new Uint8Array(this.spec.data));
    if (this.spec.readOnly) this.freeze();
  }

  /**
   * From now on user space can only read it (5.2).
   *
   * @throws {sys.SyscallError} if the kernel refuses it: code `EBUSY` if it is mapped writable or frozen already.
   */
  freeze(): void {
    sys.mapFreeze(this.fd);
  }

  /** Can its memory be mapped: global data and arrays with `BPF_F_MMAPABLE` (5.5), arenas. */
  get mmapable(): boolean {
    return (this.spec.flags & BpfMapFlag.BPF_F_MMAPABLE) !== 0;
  }

  /**
   * Its memory, live: what programs write is read at once, and the other way round. Only readable if it is frozen.
   *
   * @throws {UnsupportedError} if it is no mmapable array or arena.
   * @throws {sys.SyscallError} if the kernel refuses it.
   */
  view(): MapView<V> {
    if (this.spec.type === BpfMapType.BPF_MAP_TYPE_ARENA) {
      return new MapView<V>(this.fd, this.spec, undefined, () => arenaMemory(this.#fd, this.spec));
    }
    return new MapView<V>(this.fd, this.spec, this.spec.valueSize === 0 ? undefined : () => this.#valueCodec());
  }

  /**
   * Gives it a name in a BPF file system, which keeps it alive.
   *
   * @throws {Error} saying what is wrong with `path`.
   */
  pin(path: string, options?: PinOptions): void {
    pin(this, path, options);
  }

  /** Closes the file descriptor. Closing again does nothing. */
  close(): void {
    this.#fd.close();
  }

  /** As {@linkcode BpfMap.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #entry(): (reader: BlockReader, index: number) => [K, V] {
    const [key, value] = [this.#keyCodec(), this.#valueCodec()];
    const [keySize, valueSize] = [this.spec.keySize, this.#elementSize];
    let keys: Uint8Array | undefined;
    let keyView: DataView;
    let valueView: DataView;
    return (reader, index) => {
      if (keys !== reader.keys) {
        keyView = viewOf(keys = reader.keys);
        valueView = viewOf(reader.values);
      }
      return [key.decode(keyView, index * keySize), value.decode(valueView, index * valueSize)];
    };
  }

  #source() {
    const { type, keySize } = this.spec;
    return { fd: this.#fd, type, keySize, elementSize: this.#elementSize, place: this.#place };
  }

  #reader(options?: { keysOnly?: boolean; remove?: boolean }): BlockReader {
    const instead = this.#kind === "storage" ? "its elements belong to kernel objects" : INSTEAD[this.#kind];
    if (instead !== undefined) throw this.#unsupported("going through its elements", instead);
    return new BlockReader(this.#source(), options);
  }

  #putKey(key: K): void {
    (this.#key ?? this.#keyCodec()).encode(key, this.#keyView, 0, this.#keyName);
  }

  #putValue(value: V): void {
    (this.#value ?? this.#valueCodec()).encode(value, this.#valueView, 0, this.#valueName);
  }

  #keyCodec(): ElementCodec<K> {
    if (this.#key === undefined) {
      const instead = INSTEAD[this.#kind];
      if (instead !== undefined) throw this.#unsupported("access by key", instead);
      // K is Value where the user gives no codecs.
      this.#key = (keyCodec(this.spec) ?? this.#untyped("keys")) as unknown as ElementCodec<K>;
    }
    return this.#key;
  }

  #valueCodec(): ElementCodec<V> {
    return this.#value ??= (valueCodec(this.spec) ?? this.#untyped("values")) as unknown as ElementCodec<V>;
  }

  #untyped(what: string): never {
    throw new UnsupportedError(
      "typed access",
      `${this.#place}: nothing says what its ${what} are (no __type(key, ...) and __type(value, ...), or of another size): ` +
        "use raw, or withCodecs()",
    );
  }

  #only(method: string, ...kinds: MapKind[]): void {
    if (kinds.includes(this.#kind)) return;
    throw this.#unsupported(method, INSTEAD[this.#kind] ?? "it has keys: use get(), set() and delete()");
  }

  #unsupported(feature: string, why: string): UnsupportedError {
    return new UnsupportedError(
      feature,
      `${this.#place} (${mapTypeName(this.spec.type)}): ${feature} is not possible: ${why}`,
    );
  }

  #checkSize(size: number, wanted: number, what: string): void {
    if (size === wanted) return;
    throw new RangeError(`${this.#place}: its ${what} have ${wanted} bytes, those of the codec ${size}`);
  }
}

function viewOf(bytes: Bytes): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

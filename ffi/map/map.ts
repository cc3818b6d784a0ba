/**
 * A BPF map as a live object: a file descriptor, and its elements as JavaScript values.
 *
 * @module
 */
import { type BtfType, type Codec, compileCodec, type Value } from "../../lib/btf/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import type { MapTypeIds } from "../../lib/linker/mod.ts";
import { isRingBuffer, type MapSpec, ringBufferSize } from "../../lib/spec/mod.ts";
import { BpfMapFlag, BpfMapType, BpfUpdateFlag } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";

/** What creating a map needs besides its spec: things that only exist in the kernel. */
export interface MapCreateOptions {
  /** The loaded BTF that `types` are of. */
  readonly btf?: sys.Fd | undefined;
  /** Ids in `btf` of the types of key and value; left out for maps that take none. */
  readonly types?: MapTypeIds | undefined;
}

/** Per-CPU maps: their values are one per possible CPU, in strides of 8 bytes. */
const PER_CPU: ReadonlySet<BpfMapType> = new Set<BpfMapType>([
  BpfMapType.BPF_MAP_TYPE_PERCPU_HASH,
  BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY,
  BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BpfMapType.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
]);

/** A live map. Closing it closes the file descriptor; the kernel keeps the map while a program or pin uses it. */
export class BpfMap implements Disposable {
  /** What it was made from. */
  readonly spec: MapSpec;
  readonly #fd: sys.Fd;
  readonly #elements: sys.MapElements;
  readonly #key: DataView<ArrayBuffer>;
  readonly #value: DataView<ArrayBuffer>;
  #codecs: { key: Codec; value: Codec } | undefined;

  private constructor(fd: sys.Fd, spec: MapSpec) {
    this.#fd = fd;
    this.spec = spec;
    this.#elements = new sys.MapElements(fd, spec.keySize, spec.valueSize);
    this.#key = new DataView(this.#elements.key.buffer);
    this.#value = new DataView(this.#elements.value.buffer);
  }

  /**
   * Creates the map that `spec` describes, and the template of its inner maps if it has one. Its contents are not
   * filled in: see {@linkcode BpfMap.fill}.
   *
   * @throws {sys.SyscallError} if the kernel refuses it.
   */
  static create(spec: MapSpec, options: MapCreateOptions = {}): BpfMap {
    const { btf, types } = options;
    using inner = spec.inner === undefined ? undefined : BpfMap.create(spec.inner, { btf, types: types?.inner });
    const fd = sys.mapCreate({
      mapType: spec.type,
      keySize: spec.keySize,
      valueSize: spec.valueSize,
      maxEntries: maxEntries(spec),
      mapFlags: spec.flags,
      mapName: spec.kernelName ?? spec.name,
      mapExtra: spec.extra,
      ...(spec.numaNode === undefined ? {} : { numaNode: spec.numaNode }),
      ...(inner === undefined ? {} : { innerMapFd: inner.fd }),
      ...(btf === undefined || types === undefined
        ? {}
        : { btfFd: btf.value, btfKeyTypeId: types.key, btfValueTypeId: types.value }),
    });
    return new BpfMap(fd, spec);
  }

  /** Name in its collection. */
  get name(): string {
    return this.spec.name;
  }

  /** Its file descriptor, for calls that this class has no method for. */
  get fd(): number {
    return this.#fd.value;
  }

  /** Writes the initial value of global data, and freezes what programs may only read. */
  fill(): void {
    if (this.spec.data === undefined) return;
    this.setRaw(new Uint8Array(4), this.spec.data);
    if (this.spec.readOnly) sys.mapFreeze(this.fd);
  }

  /** Can its memory be mapped: global data and arrays with `BPF_F_MMAPABLE` (5.5). */
  get mmapable(): boolean {
    return (this.spec.flags & BpfMapFlag.BPF_F_MMAPABLE) !== 0;
  }

  /**
   * The element of `key` as bytes, or `undefined`.
   *
   * @param key `keySize` bytes.
   */
  getRaw(key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    this.#refusePerCpu();
    this.#checkSize(key, this.spec.keySize, "key");
    this.#elements.key.set(key);
    return this.#elements.lookup() ? this.#elements.value.slice() : undefined;
  }

  /**
   * Sets the element of `key`.
   *
   * @param key `keySize` bytes.
   * @param value `valueSize` bytes.
   * @param flags `BPF_ANY`, `BPF_NOEXIST` or `BPF_EXIST`.
   */
  setRaw(key: Uint8Array, value: Uint8Array, flags: BpfUpdateFlag = BpfUpdateFlag.BPF_ANY): void {
    this.#refusePerCpu();
    this.#checkSize(key, this.spec.keySize, "key");
    this.#checkSize(value, this.spec.valueSize, "value");
    this.#elements.key.set(key);
    this.#elements.value.set(value);
    this.#elements.update(flags);
  }

  /**
   * The element of `key`, or `undefined`. Keys and values are plain JavaScript values of the types that the map was
   * declared with.
   *
   * @throws {UnsupportedError} if the map was declared without types.
   */
  get(key: Value): Value | undefined {
    this.#refusePerCpu();
    const codecs = this.#typed();
    codecs.key.encode(key, this.#key, 0);
    return this.#elements.lookup() ? codecs.value.decode(this.#value, 0) : undefined;
  }

  /** Sets the element of `key`. */
  set(key: Value, value: Value, flags: BpfUpdateFlag = BpfUpdateFlag.BPF_ANY): void {
    this.#refusePerCpu();
    const codecs = this.#typed();
    codecs.key.encode(key, this.#key, 0);
    codecs.value.encode(value, this.#value, 0);
    this.#elements.update(flags);
  }

  /** Removes the element of `key`; `false` if there was none. */
  delete(key: Value): boolean {
    this.#typed().key.encode(key, this.#key, 0);
    return this.#elements.delete();
  }

  /** Puts the map whose file descriptor is `fd` (or program, in a program array) at `index`. */
  setFd(index: number, fd: number): void {
    this.#key.setUint32(0, index, HOST_BYTE_ORDER === "little");
    this.#value.setUint32(0, fd, HOST_BYTE_ORDER === "little");
    this.#elements.update();
  }

  /**
   * All keys, in the kernel's order. An element that is deleted while this runs may end or restart the walk: the kernel
   * walks from key to key.
   */
  *keysRaw(): Generator<Uint8Array<ArrayBuffer>> {
    let key: Uint8Array<ArrayBuffer> | undefined;
    const { key: scratch } = this.#elements;
    // Other calls use the same scratch memory between two steps of the walk.
    const next = () => {
      if (key !== undefined) scratch.set(key);
      return this.#elements.next(key === undefined);
    };
    while (next()) {
      key = scratch.slice();
      yield key;
    }
  }

  /** All elements with their keys, typed. */
  *entries(): Generator<[Value, Value]> {
    const codecs = this.#typed();
    for (const key of this.keysRaw()) {
      const value = this.getRaw(key);
      if (value !== undefined) yield [codecs.key.decode(viewOf(key), 0), codecs.value.decode(viewOf(value), 0)];
    }
  }

  /** As {@linkcode BpfMap.entries}. */
  [Symbol.iterator](): Generator<[Value, Value]> {
    return this.entries();
  }

  /** Closes the file descriptor. Closing again does nothing. */
  close(): void {
    this.#fd.close();
  }

  /** As {@linkcode BpfMap.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #typed(): { key: Codec; value: Codec } {
    if (this.#codecs === undefined) {
      const { key, value, name } = this.spec;
      if (key === undefined || value === undefined) {
        throw new UnsupportedError(
          "typed access",
          `map "${name}" was declared without the types of its key and value (__type(key, ...)): use getRaw and setRaw`,
        );
      }
      this.#codecs = { key: codecOf(key), value: codecOf(value) };
    }
    return this.#codecs;
  }

  #checkSize(bytes: Uint8Array, size: number, what: string): void {
    if (bytes.length !== size) {
      throw new RangeError(`map "${this.spec.name}": a ${what} has ${size} bytes, not ${bytes.length}`);
    }
  }

  #refusePerCpu(): void {
    if (PER_CPU.has(this.spec.type)) {
      throw new UnsupportedError(
        "per-CPU values",
        `map "${this.spec.name}": reading and writing per-CPU values is not supported`,
      );
    }
  }
}

function codecOf(type: BtfType): Codec {
  return compileCodec(type, { order: HOST_BYTE_ORDER });
}

function viewOf(bytes: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** 0 in a perf event array stands for one entry per possible CPU; a ring buffer is a power of 2 of this kernel's pages. */
function maxEntries(spec: MapSpec): number {
  if (spec.type === BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY && spec.maxEntries === 0) return sys.possibleCpus();
  return isRingBuffer(spec.type) ? ringBufferSize(spec.maxEntries, sys.pageSize()) : spec.maxEntries;
}

/**
 * From the bytes of keys and values to JavaScript values: by BTF, by what the kernel fixes for a map type, or by what the
 * user gives.
 *
 * @module
 */
import { type BtfType, compileCodec, type Value } from "../../lib/btf/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import type { MapSpec } from "../../lib/spec/mod.ts";
import { BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import * as sys from "../sys/mod.ts";
import { holdsReferences, isPerCpu, mapKind } from "./map_type.ts";

/** Reads and writes keys or values of one map. The codecs of `compileCodec` are such codecs. */
export interface ElementCodec<T> {
  /** Size in bytes; the map's key or value size. */
  readonly size: number;
  /** The value at `offset`, nothing of which refers to `view`. */
  decode(view: DataView, offset: number): T;
  /**
   * Writes `value` at `offset`.
   *
   * @param name How errors call it.
   */
  encode(value: T, view: DataView, offset: number, name?: string): unknown;
}

/** Something that the kernel knows by a file descriptor: a map, a program, a link. */
export interface HasFd {
  /** The file descriptor. */
  readonly fd: number;
}

const LITTLE = HOST_BYTE_ORDER === "little";

/**
 * Bytes as they are, each a copy.
 *
 * @param size Size in bytes.
 */
export function rawCodec(size: number): ElementCodec<Uint8Array<ArrayBuffer>> {
  return {
    size,
    decode(view, offset) {
      const bytes = new Uint8Array(size);
      // A view of the source, which slice() wants, would cost more than copying a key or a number by hand.
      if (size > SMALL) bytes.set(new Uint8Array(view.buffer, view.byteOffset + offset, size));
      else for (let i = 0; i < size; i++) bytes[i] = view.getUint8(offset + i);
      return bytes;
    },
    encode(value, view, offset, name = "value") {
      if (value.length !== size) throw new RangeError(`${name}: it has ${size} bytes, not ${value.length}`);
      if (size > SMALL) new Uint8Array(view.buffer, view.byteOffset + offset, size).set(value);
      else for (let i = 0; i < size; i++) view.setUint8(offset + i, value[i]!);
    },
  };
}

/** In bytes. */
const SMALL = 64;

/**
 * The values of an element of a per-CPU map: one for each possible CPU, by the CPU's number.
 *
 * @param codec Reads and writes one of them.
 * @param cpus Number of possible CPUs; this machine's by default.
 */
export function perCpuCodec<T>(codec: ElementCodec<T>, cpus: number = sys.possibleCpus()): ElementCodec<T[]> {
  const stride = perCpuStride(codec.size);
  return {
    size: stride * cpus,
    decode(view, offset) {
      const values = new Array<T>(cpus);
      for (let cpu = 0; cpu < cpus; cpu++) values[cpu] = codec.decode(view, offset + cpu * stride);
      return values;
    },
    encode(values, view, offset, name = "value") {
      if (!Array.isArray(values) || values.length !== cpus) {
        throw new TypeError(`${name}: it is an array of ${cpus} values, one for each possible CPU`);
      }
      for (let cpu = 0; cpu < cpus; cpu++) codec.encode(values[cpu]!, view, offset + cpu * stride, name);
    },
  };
}

/** Distance in bytes of the values of two CPUs (kernel/bpf/syscall.c, `bpf_map_value_size`). */
export function perCpuStride(valueSize: number): number {
  return Math.ceil(valueSize / 8) * 8;
}

/** Size in bytes of what a look-up in a map writes. */
export function elementSize(spec: MapSpec): number {
  return isPerCpu(spec.type) ? perCpuStride(spec.valueSize) * sys.possibleCpus() : spec.valueSize;
}

/** The codec of the map's keys; `undefined` where nothing says what they are. */
export function keyCodec(spec: MapSpec): ElementCodec<Value> | undefined {
  const { key, keySize, type } = spec;
  if (key !== undefined) return typeCodec(key, keySize);
  const kind = mapKind(type);
  // Indices, ids of stacks, file descriptors of what storage belongs to: the kernel takes nothing else.
  const number = kind === "array" || kind === "slots" || kind === "storage" ||
    type === BpfMapType.BPF_MAP_TYPE_STACK_TRACE || type === BpfMapType.BPF_MAP_TYPE_DEVMAP_HASH;
  return keySize === 4 && number ? U32 : undefined;
}

/** The codec of the map's values, of all CPUs where there are several; `undefined` where nothing says what they are. */
export function valueCodec(spec: MapSpec): ElementCodec<Value> | undefined {
  const { type, value, valueSize } = spec;
  if (holdsReferences(type)) return valueSize === 8 ? COOKIE : REFERENCE;
  if (value !== undefined) {
    const codec = typeCodec(value, valueSize);
    return codec === undefined || !isPerCpu(type) ? codec : perCpuCodec(codec);
  }
  switch (type) {
    case BpfMapType.BPF_MAP_TYPE_DEVMAP:
    case BpfMapType.BPF_MAP_TYPE_DEVMAP_HASH:
    case BpfMapType.BPF_MAP_TYPE_CPUMAP:
      return valueSize === 4 ? U32 : undefined;
    case BpfMapType.BPF_MAP_TYPE_STACK_TRACE:
      return (spec.flags & BpfMapFlag.BPF_F_STACK_BUILD_ID) === 0 ? stackCodec(valueSize) : undefined;
    default:
      return undefined;
  }
}

/** `undefined` if the type is not what the map's sizes say: a spec's sizes may be changed, its types then say nothing. */
function typeCodec(type: BtfType, size: number): ElementCodec<Value> | undefined {
  const codec = compileCodec(type, { order: HOST_BYTE_ORDER });
  if (codec.size === size) return codec;
  if (!codec.flexible || codec.size > size) return undefined;
  return {
    size,
    decode: (view, offset) => codec.decode(view, offset, size),
    encode(value, view, offset, name) {
      // The flexible array may be shorter than the map has room for.
      new Uint8Array(view.buffer, view.byteOffset + offset, size).fill(0);
      const written = codec.encode(value, view, offset, name);
      if (written > size) throw new RangeError(`${name ?? "value"}: ${written} bytes do not fit the map's ${size}`);
    },
  };
}

const U32: ElementCodec<Value> = {
  size: 4,
  decode: (view, offset) => view.getUint32(offset, LITTLE),
  encode(value, view, offset, name = "value") {
    if (typeof value !== "number" && typeof value !== "bigint") throw new TypeError(`${name}: not a number`);
    const number = Number(value);
    if (!Number.isInteger(number) || number < 0 || number > 0xffff_ffff) {
      throw new RangeError(`${name}: ${value} does not fit 32 bits`);
    }
    view.setUint32(offset, number, LITTLE);
  },
};

/** Goes in as a file descriptor, comes out as an id. */
const REFERENCE: ElementCodec<Value> = {
  size: 4,
  decode: U32.decode,
  encode: (value, view, offset, name) => view.setUint32(offset, fdOf(value, name), LITTLE),
};

/** Sockets of 64-bit values: go in as a file descriptor, come out as the socket's cookie. */
const COOKIE: ElementCodec<Value> = {
  size: 8,
  decode: (view, offset) => view.getBigUint64(offset, LITTLE),
  encode: (value, view, offset, name) => view.setBigUint64(offset, BigInt(fdOf(value, name)), LITTLE),
};

/** What comes out of such a map is an id or a cookie: put back in as a number, it would name some other file. */
function fdOf(value: unknown, name = "value"): number {
  if (typeof value === "object" && value !== null && "fd" in value && typeof value.fd === "number") return value.fd;
  throw new TypeError(`${name}: give what has the file descriptor ({ fd }); numbers that are read here are ids`);
}

/** Addresses, the innermost function first; the kernel fills the rest with 0. */
function stackCodec(size: number): ElementCodec<Value> {
  return {
    size,
    decode(view, offset) {
      const addresses: bigint[] = [];
      for (let at = 0; at < size; at += 8) {
        const address = view.getBigUint64(offset + at, LITTLE);
        if (address === 0n) break;
        addresses.push(address);
      }
      return addresses;
    },
    encode(_value, _view, _offset, name = "value") {
      throw new TypeError(`${name}: only programs write stack traces`);
    },
  };
}

/**
 * Setting and removing many elements at once.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";
import type { BlockSource } from "./block_reader.ts";
import type { ElementCodec } from "./element_codec.ts";
import { lookupFlags, type LookupOptions } from "./flags.ts";

/** Elements per system call. */
const COUNT = 4096;

/** Sets elements; see `BpfMap.setBatch`. */
export function setBatch<K, V>(
  source: BlockSource,
  key: ElementCodec<K>,
  value: ElementCodec<V>,
  entries: Iterable<readonly [K, V]>,
  options: LookupOptions,
): number {
  const { fd, keySize, elementSize, place } = source;
  const [keyName, valueName] = [`${place}: key`, `${place}: value`];
  const flags = lookupFlags(options);
  const room = Math.min(COUNT, Math.max(1, Math.floor((1 << 20) / (keySize + elementSize))));
  const keys = new Uint8Array(room * keySize);
  const values = new Uint8Array(room * elementSize);
  const keyView = new DataView(keys.buffer);
  const valueView = new DataView(values.buffer);
  let single: sys.MapElements | undefined;
  let total = 0;
  let count = 0;
  const flush = () => {
    const [someKeys, someValues] = [keys.subarray(0, count * keySize), values.subarray(0, count * elementSize)];
    if (single === undefined) {
      try {
        total += sys.mapUpdateBatch(fd.value, someKeys, someValues, count, { elemFlags: flags });
        count = 0;
        return;
      } catch (error) {
        if (total > 0 || !hasNoBatches(error)) throw placed(error, place);
        single = new sys.MapElements(fd, keySize, elementSize, place);
      }
    }
    for (let index = 0; index < count; index++) {
      single.key.set(someKeys.subarray(index * keySize, (index + 1) * keySize));
      single.value.set(someValues.subarray(index * elementSize, (index + 1) * elementSize));
      single.update(flags);
    }
    total += count;
    count = 0;
  };
  for (const [k, v] of entries) {
    key.encode(k, keyView, count * keySize, keyName);
    value.encode(v, valueView, count * elementSize, valueName);
    if (++count === room) flush();
  }
  if (count > 0) flush();
  return total;
}

/** Removes elements; see `BpfMap.deleteBatch`. */
export function deleteBatch<K>(source: BlockSource, key: ElementCodec<K>, all: Iterable<K>): number {
  const { keySize, place } = source;
  const keyName = `${place}: key`;
  const keys = new Uint8Array(COUNT * keySize);
  const view = new DataView(keys.buffer);
  let total = 0;
  let count = 0;
  for (const k of all) {
    key.encode(k, view, count * keySize, keyName);
    if (++count === COUNT) {
      total += deleteKeys(source, keys);
      count = 0;
    }
  }
  return total + deleteKeys(source, keys.subarray(0, count * keySize));
}

/**
 * Removes the elements of `keys`, one key after the other.
 *
 * @returns How many of them there were.
 */
export function deleteKeys(source: BlockSource, keys: Uint8Array): number {
  const { fd, keySize, place } = source;
  if (keys.length === 0) return 0;
  try {
    return sys.mapDeletePresent(fd.value, keys, keySize);
  } catch (error) {
    if (!hasNoBatches(error)) throw placed(error, place);
  }
  const single = new sys.MapElements(fd, keySize, source.elementSize, place);
  let removed = 0;
  for (let at = 0; at < keys.length; at += keySize) {
    single.key.set(keys.subarray(at, at + keySize));
    if (single.delete()) removed++;
  }
  return removed;
}

function hasNoBatches(error: unknown): boolean {
  return error instanceof sys.SyscallError && (error.code === "ENOTSUPP" || error.code === "EINVAL");
}

function placed(error: unknown, place: string): unknown {
  return error instanceof sys.SyscallError ? error.at(place) : error;
}

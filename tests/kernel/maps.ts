/**
 * Maps for tests.
 *
 * @module
 */
import { BpfMap } from "../../ffi/map/mod.ts";
import type { MapSpec } from "../../lib/spec/mod.ts";
import { BpfMapType } from "../../lib/uapi/mod.ts";

/** A spec of a map without types: by default a hash map of 64 elements, 4 bytes to 4 bytes. */
export function mapSpec(options: Partial<MapSpec> = {}): MapSpec {
  return {
    name: "made_by_test",
    type: BpfMapType.BPF_MAP_TYPE_HASH,
    keySize: 4,
    valueSize: 4,
    maxEntries: 64,
    flags: 0,
    extra: 0n,
    pinning: "none",
    readOnly: false,
    contents: [],
    tags: [],
    ...options,
  };
}

/** Numbers of 32 bits for keys and values. */
export const U32 = {
  size: 4,
  decode: (view: DataView, offset: number): number => view.getUint32(offset, true),
  encode: (value: number, view: DataView, offset: number): void => view.setUint32(offset, value, true),
};

/** A map from 32 bits to 32 bits: by default a hash map. */
export function numbers(options: Partial<MapSpec> = {}): BpfMap<number, number> {
  return BpfMap.create(mapSpec(options)).withCodecs({ key: U32, value: U32 });
}

/** Bytes of 32-bit numbers. */
export function u32(...words: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.from(words).buffer);
}

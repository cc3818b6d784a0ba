/**
 * Emptying maps.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import * as sys from "../sys/mod.ts";
import { deleteKeys, setBatch } from "./batch.ts";
import { BlockReader, type BlockSource } from "./block_reader.ts";
import { rawCodec } from "./element_codec.ts";
import { type MapKind, mapTypeName } from "./map_type.ts";

/**
 * Removes all elements; those of an array become zero.
 *
 * @throws {UnsupportedError} for maps that cannot be emptied.
 */
export function clearMap(kind: MapKind, source: BlockSource): void {
  switch (kind) {
    case "hash":
    case "tree":
    case "slots":
      return removeAll(source);
    case "array":
      return zeroAll(source);
    case "queue": {
      const elements = new sys.MapElements(source.fd, 0, source.elementSize, source.place);
      while (elements.lookupAndDelete());
      return;
    }
    case "filter":
    case "storage":
    case "memory":
      throw new UnsupportedError(
        "clearing such maps",
        `${source.place} (${mapTypeName(source.type)}): the kernel cannot be asked to empty it`,
      );
    default:
      return kind satisfies never;
  }
}

function removeAll(source: BlockSource): void {
  const reader = new BlockReader(source, { keysOnly: true });
  while (reader.read()) deleteKeys(source, reader.keys.subarray(0, reader.count * source.keySize));
}

function zeroAll(source: BlockSource): void {
  const { keySize, elementSize } = source;
  const zero = new Uint8Array(elementSize);
  const reader = new BlockReader(source, { keysOnly: true });
  const keys: [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>][] = [];
  while (reader.read()) {
    keys.length = 0;
    for (let index = 0; index < reader.count; index++) {
      keys.push([reader.keys.slice(index * keySize, (index + 1) * keySize), zero]);
    }
    setBatch(source, rawCodec(keySize), rawCodec(elementSize), keys, {});
  }
}

/**
 * What programs themselves count of events that they could not send.
 *
 * @module
 */
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import type { LostCounter } from "../../lib/spec/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import type { Variable } from "./variable.ts";

/** Where counters live. */
export interface LostCounterPlaces {
  /** Variables by name. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Maps by name. */
  readonly maps: ReadonlyMap<string, BpfMap>;
}

/** The sum of `counters` now; those that are no integers count 0. */
export function readLostCounters(counters: readonly LostCounter[], places: LostCounterPlaces): number {
  let sum = 0;
  for (const { kind, name } of counters) {
    if (kind === "variable") {
      const value = places.variables.get(name)?.get();
      if (typeof value === "number" || typeof value === "bigint") sum += Number(value);
    } else {
      const map = places.maps.get(name);
      if (map !== undefined) sum += sumOf(map);
    }
  }
  return sum;
}

/** The values of an array are integers of 4 or 8 bytes, one for each possible CPU in a per-CPU array, 8 bytes apart. */
function sumOf(map: BpfMap): number {
  const { valueSize } = map.spec;
  if (valueSize !== 4 && valueSize !== 8) return 0;
  let sum = 0;
  for (const [, value] of map.raw.entries()) {
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const little = HOST_BYTE_ORDER === "little";
    for (let at = 0; at + valueSize <= view.byteLength; at += 8) {
      sum += valueSize === 8 ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
    }
  }
  return sum;
}

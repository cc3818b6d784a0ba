/**
 * Which types the records of which ring buffer have: what the user says comes before what the object says.
 *
 * @module
 */
import { type CollectionSpec, type EventTypes, findEventTypes } from "../../lib/spec/mod.ts";
import { UsageError } from "../command.ts";

/**
 * The event types of all ring buffers of `spec`.
 *
 * @param words `MAP=STRUCT` or `MAP=STRUCT,STRUCT`, as the user gave them.
 */
export function chooseEventTypes(spec: CollectionSpec, words: readonly string[]): Map<string, EventTypes> {
  const chosen = new Map<string, string[]>();
  for (const word of words) {
    const at = word.indexOf("=");
    if (at <= 0 || at === word.length - 1) throw new UsageError(`--event takes MAP=STRUCT, not "${word}"`);
    const map = word.slice(0, at);
    if (!spec.maps.has(map)) {
      throw new UsageError(`--event ${word}: no map "${map}"; the object has ${[...spec.maps.keys()].join(", ")}`);
    }
    chosen.set(map, [...chosen.get(map) ?? [], ...word.slice(at + 1).split(",")]);
  }
  return findEventTypes(spec, { types: chosen });
}

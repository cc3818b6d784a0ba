/**
 * Counters of events that programs could not send: what reserving space fails with, only they see.
 *
 * An object names them by declaration tags `debpf:lost:MAP`, on a global variable (`DEBPF_LOST` of debpf.h makes one) or on
 * a map of integers.
 *
 * @module
 */
import { BtfKind } from "../uapi/mod.ts";
import { DeclTags } from "./decl_tags.ts";
import type { CollectionSpec } from "./types.ts";

const TAG = "debpf:lost:";

/** Where a program counts the events that it could not send. */
export interface LostCounter {
  /** What kind of counter it is: a global variable, or all elements of a map. */
  readonly kind: "variable" | "map";
  /** Name of the variable or map. */
  readonly name: string;
}

/** The counters of lost events that `spec` declares, by name of the map whose events they count. */
export function findLostCounters(spec: CollectionSpec): Map<string, LostCounter[]> {
  const found = new Map<string, LostCounter[]>();
  if (spec.btf === undefined) return found;
  for (const { name: tag, target } of DeclTags.of(spec.btf).all()) {
    if (!tag.startsWith(TAG) || target.kind !== BtfKind.Var) continue;
    const map = tag.slice(TAG.length).trim();
    const { name } = target;
    const kind = spec.variables.has(name) ? "variable" : spec.maps.has(name) ? "map" : undefined;
    if (kind === undefined || !spec.maps.has(map)) continue;
    found.set(map, [...found.get(map) ?? [], { kind, name }]);
  }
  return found;
}

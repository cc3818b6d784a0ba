/**
 * What type the records of a ring buffer or perf buffer have: never guessed, always what user or object says, held
 * against the sizes that programs send. One candidate for a size means that records of this size are of that type.
 *
 * @module
 */
import type { StructType } from "../btf/mod.ts";
import { LinkError } from "../errors.ts";
import { BpfMapType } from "../uapi/mod.ts";
import { anchoredStructs, declaredEvents, endsFlexible, structNamesOfSize, structsNamed } from "./event_candidates.ts";
import { carriesEvents, type EventSizes, traceEventSizes } from "./event_sizes.ts";
import type { CollectionSpec, MapSpec } from "./types.ts";

/** Where a map's candidates come from. */
export type EventTypeSource = "option" | "declaration" | "anchor" | "none";

/** What is known about the records of one map. */
export interface EventTypes {
  /** Who names the candidates: the user, the object for this map, or an unused global pointer for any map. */
  readonly source: EventTypeSource;
  /** Structs that records can be. */
  readonly candidates: readonly StructType[];
  /**
   * The type of records of each length in bytes, where it is certain. Lengths are those that user space sees: the
   * kernel pads records of perf buffers so that they and their 4 bytes of length are a multiple of 8.
   */
  readonly bySize: ReadonlyMap<number, StructType>;
  /** The type of records of any other length: a candidate that ends in a flexible array, if it is the only one. */
  readonly flexible: StructType | undefined;
  /** Sizes in bytes that programs send, ascending, as far as instructions tell. */
  readonly sizes: readonly number[];
  /** Are those all sizes? */
  readonly complete: boolean;
  /** Why some records have no type, and what to do about it; `undefined` if there are none. */
  readonly hint: string | undefined;
}

/** What the user says about events. */
export interface FindEventTypesOptions {
  /** Names of structs by name of map; for these maps nothing else counts. */
  types?: ReadonlyMap<string, readonly string[]> | undefined;
}

/**
 * The types of the records of all ring buffers and perf buffers of `spec`, by name of map.
 *
 * @throws {LinkError} if `options` name a map or struct that the object does not have.
 */
export function findEventTypes(spec: CollectionSpec, options: FindEventTypesOptions = {}): Map<string, EventTypes> {
  for (const [map, structs] of options.types ?? []) checkChoice(spec, map, structs);
  const traced = traceEventSizes(spec);
  const declared = declaredEvents(spec);
  let anchored: StructType[] | undefined;
  const found = new Map<string, EventTypes>();
  for (const [name, sizes] of traced) {
    const map = spec.maps.get(name)!;
    const names = options.types?.get(name) ?? declared.get(name);
    if (names === undefined) {
      anchored ??= anchoredStructs(spec);
      found.set(name, judge(spec, map, "anchor", anchored, [], sizes));
      continue;
    }
    const source = options.types?.has(name) ? "option" : "declaration";
    const structs: StructType[] = [];
    const missing: string[] = [];
    for (const struct of names) {
      const known = spec.btf === undefined ? [] : structsNamed(spec.btf, struct);
      if (known.length === 0) missing.push(struct);
      structs.push(...known);
    }
    found.set(name, judge(spec, map, source, [...new Set(structs)], missing, sizes));
  }
  return found;
}

function checkChoice(spec: CollectionSpec, name: string, structs: readonly string[]): void {
  const map = spec.maps.get(name);
  if (map === undefined) throw new LinkError(`${spec.name}: has no map "${name}" whose events could have a type`);
  if (!carriesEvents(map.type)) {
    throw new LinkError(`${spec.name}: map "${name}" is neither a ring buffer nor a perf buffer: it has no events`);
  }
  for (const struct of structs) {
    if (spec.btf !== undefined && structsNamed(spec.btf, struct).length > 0) continue;
    throw new LinkError(
      `${spec.name}: its BTF has no struct "${struct}" for the events of map "${name}": clang keeps only structs that ` +
        `something global refers to; add ${declaration(name, struct)}`,
    );
  }
}

/** Holds the candidates of one map against the sizes of its records. */
function judge(
  spec: CollectionSpec,
  map: MapSpec,
  source: EventTypeSource,
  structs: readonly StructType[],
  missing: readonly string[],
  traced: EventSizes,
): EventTypes {
  const sizes = [...traced.sizes].sort((a, b) => a - b);
  const certain = traced.complete && sizes.length > 0;
  const fits = (struct: StructType) =>
    !certain || sizes.some((size) => size === struct.size || (size > struct.size && endsFlexible(struct)));
  const candidates = structs.filter(fits);
  const bySize = new Map<number, StructType>();
  const ambiguous: string[] = [];
  for (const [length, group] of groupByLength(map, candidates)) {
    if (group.length === 1) bySize.set(length, group[0]!);
    else {
      const advice = source === "anchor" ? `say which: ${declaration(map.name, "STRUCT")}` : "name only one of them";
      ambiguous.push(`records of ${length} bytes can be ${group.map(structText).join(" or ")}: ${advice}`);
    }
  }
  const only = candidates.length === 1 ? candidates[0]! : undefined;
  const flexible = only !== undefined && endsFlexible(only) ? only : undefined;
  const typed = (size: number) =>
    bySize.has(recordLength(map, size)) || (flexible !== undefined && size >= flexible.size);
  const problems = [
    ...missing.map((name) =>
      `struct ${name}, which the object names, is not in its BTF (clang keeps only structs that something global ` +
      `refers to): add ${declaration(map.name, name)}`
    ),
    // An anchor names no map: those that do not fit are some other map's.
    ...(source === "anchor" ? [] : structs.filter((struct) => !fits(struct))).map((struct) =>
      `${structText(struct)} has ${struct.size} bytes, but records have ${sizes.join(", ")}`
    ),
    ...ambiguous,
  ];
  return {
    source: candidates.length === 0 ? "none" : source,
    candidates,
    bySize,
    flexible,
    sizes,
    complete: traced.complete,
    hint: hint(spec, map, problems, sizes.filter((size) => !typed(size)), candidates.length > 0, traced),
  };
}

function groupByLength(map: MapSpec, candidates: readonly StructType[]): Map<number, StructType[]> {
  const groups = new Map<number, StructType[]>();
  for (const struct of candidates) {
    const length = recordLength(map, struct.size);
    groups.set(length, [...groups.get(length) ?? [], struct]);
  }
  return groups;
}

/** The length of a record of `size` bytes as user space sees it (perf_prepare_sample() pads with bytes of any value). */
function recordLength(map: MapSpec, size: number): number {
  return map.type === BpfMapType.BPF_MAP_TYPE_RINGBUF ? size : Math.ceil((size + 4) / 8) * 8 - 4;
}

function hint(
  spec: CollectionSpec,
  map: MapSpec,
  problems: readonly string[],
  untyped: readonly number[],
  hasCandidates: boolean,
  traced: EventSizes,
): string | undefined {
  const place = `map "${map.name}": `;
  const { btf } = spec;
  if (btf === undefined) return `${place}records have no type, because the object has no BTF: compile with clang -g`;
  if (problems.length > 0) return place + problems.join("; ");
  if (untyped.length > 0) {
    // One struct of that size is worth naming; that it is the right one only the author knows.
    const known = structNamesOfSize(btf, untyped[0]!);
    const struct = untyped.length === 1 && known.length === 1 ? known[0]! : "STRUCT";
    const sizes = untyped.join(", ");
    return `${place}records of ${sizes} bytes have no type: add ${declaration(map.name, struct)} to the C source`;
  }
  if (hasCandidates) return undefined;
  if (traced.complete && traced.sizes.size === 0) return `${place}no program of this object sends records to it`;
  return `${place}records have no type: add ${declaration(map.name, "STRUCT")} to the C source`;
}

/** The line of C that says it, with examples/include/debpf.h included. */
function declaration(map: string, struct: string): string {
  return `"DEBPF_EVENT(${map}, ${struct});"`;
}

function structText(struct: StructType): string {
  return `struct ${struct.name}`;
}

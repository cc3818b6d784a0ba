/**
 * Which structs an object says are events, and of which map.
 *
 * clang keeps no BTF of a struct that only local variables use, so an object has to say it in a way that survives. From
 * the most explicit to the least:
 *
 * 1. a declaration tag `debpf:event:STRUCT` on the map, and what names map and struct in the name of a variable:
 *    debpf.h's anchors (`debpf_event_MAP___STRUCT`) and Inspektor Gadget's tracers (`gadget_tracer_NAME___MAP___STRUCT`);
 * 2. bpf2go's habit: a global `const struct T *name __attribute__((unused))`, which no instruction refers to. It names a
 *    struct but no map, so it may be the event of any.
 *
 * @module
 */
import { BPF_PSEUDO, MAP } from "../asm/mod.ts";
import { type Btf, type BtfType, skipModifiersAndTypedefs, type StructType } from "../btf/mod.ts";
import { BtfKind } from "../uapi/mod.ts";
import type { CollectionSpec, MapSpec } from "./types.ts";

const TAG = "debpf:event:";
const ANCHOR = "debpf_event_";
const TRACER = "gadget_tracer_";
const SEPARATOR = "___";

/** Names of the structs that `spec` declares to be events, by map. */
export function declaredEvents(spec: CollectionSpec): Map<string, Set<string>> {
  const declared = new Map<string, Set<string>>();
  const add = (map: string, struct: string): void => {
    const names = declared.get(map) ?? new Set();
    if (struct !== "") declared.set(map, names.add(struct));
  };
  for (const map of spec.maps.values()) {
    for (const tag of map.tags) {
      if (tag.startsWith(TAG)) add(map.name, bareName(tag.slice(TAG.length)));
    }
  }
  for (const name of variableNames(spec)) {
    if (name.startsWith(ANCHOR)) {
      const { map, struct } = splitName(name.slice(ANCHOR.length), spec.maps);
      add(map, struct);
    } else if (name.startsWith(TRACER)) {
      const { map, struct } = splitName(name.slice(name.indexOf(SEPARATOR) + SEPARATOR.length), spec.maps);
      add(map, struct);
    }
  }
  return declared;
}

/** `MAP___STRUCT`, where either may have `___` in its name: the longest name of a map counts. */
function splitName(text: string, maps: ReadonlyMap<string, MapSpec>): { map: string; struct: string } {
  let best = { map: "", struct: "" };
  for (let at = text.indexOf(SEPARATOR); at >= 0; at = text.indexOf(SEPARATOR, at + 1)) {
    const map = text.slice(0, at);
    if (maps.has(map)) best = { map, struct: text.slice(at + SEPARATOR.length) };
  }
  return best;
}

/** Structs that unused global pointers keep in the object's BTF, in the order of the variables. */
export function anchoredStructs(spec: CollectionSpec): StructType[] {
  const { btf } = spec;
  if (btf === undefined) return [];
  const used = usedData(spec);
  const structs = new Set<StructType>();
  for (let id = btf.ownStartId; id < btf.typeCount; id++) {
    if (btf.kindOf(id) !== BtfKind.Var) continue;
    const type = btf.type(id);
    if (type.kind !== BtfKind.Var || type.linkage !== "global" || type.name.startsWith(ANCHOR)) continue;
    const pointer = skipModifiersAndTypedefs(type.target);
    const struct = pointer.kind === BtfKind.Ptr ? asStruct(pointer.target) : undefined;
    if (struct === undefined) continue;
    const variable = spec.variables.get(type.name);
    if (variable === undefined) continue;
    const offsets = used.get(variable.map) ?? [];
    const start = variable.offset;
    if (!offsets.some((offset) => offset >= start && offset < start + variable.size)) structs.add(struct);
  }
  return [...structs];
}

/** Offsets in the data of each map that instructions take the address of. */
function usedData(spec: CollectionSpec): Map<string, number[]> {
  const used = new Map<string, number[]>();
  for (const { instructions } of [...spec.programs.values(), ...spec.functions]) {
    for (const insn of instructions) {
      const map = insn.get(MAP);
      if (map === undefined || insn.src !== BPF_PSEUDO.MAP_VALUE) continue;
      const offsets = used.get(map);
      if (offsets === undefined) used.set(map, [insn.immHigh >>> 0]);
      else offsets.push(insn.immHigh >>> 0);
    }
  }
  return used;
}

function variableNames(spec: CollectionSpec): string[] {
  const { btf } = spec;
  if (btf === undefined) return [];
  const names: string[] = [];
  for (let id = btf.ownStartId; id < btf.typeCount; id++) {
    if (btf.kindOf(id) === BtfKind.Var) names.push(btf.nameOf(id));
  }
  return names;
}

/** The structs of one name (or behind a typedef of it), most often one. */
export function structsNamed(btf: Btf, name: string): StructType[] {
  const bare = bareName(name);
  const structs = new Set<StructType>();
  for (const kind of [BtfKind.Struct, BtfKind.Typedef] as const) {
    for (const id of btf.findIds(bare, kind)) {
      const struct = asStruct(btf.type(id));
      if (struct !== undefined) structs.add(struct);
    }
  }
  return [...structs];
}

/** Names of the structs of `size` bytes that the object's own BTF knows, and that are no map definitions. */
export function structNamesOfSize(btf: Btf, size: number): string[] {
  const names: string[] = [];
  for (let id = btf.ownStartId; id < btf.typeCount; id++) {
    if (btf.kindOf(id) !== BtfKind.Struct || btf.nameOf(id) === "") continue;
    const type = btf.type(id);
    if (type.kind === BtfKind.Struct && type.size === size) names.push(type.name);
  }
  return names;
}

/** Does the struct end in a flexible array, so that its records have many sizes? */
export function endsFlexible(struct: StructType): boolean {
  let type: BtfType | undefined = struct;
  const seen = new Set<BtfType>();
  while (type !== undefined && !seen.has(type)) {
    seen.add(type);
    if (type.kind === BtfKind.Array) return type.length === 0;
    if (type.kind !== BtfKind.Struct && type.kind !== BtfKind.Union) return false;
    const last: BtfType | undefined = type.members.at(-1)?.type;
    type = last === undefined ? undefined : skipModifiersAndTypedefs(last);
  }
  return false;
}

function asStruct(type: BtfType): StructType | undefined {
  const plain = skipModifiersAndTypedefs(type);
  return plain.kind === BtfKind.Struct ? plain : undefined;
}

function bareName(name: string): string {
  return name.trim().replace(/^struct\s+/, "");
}

/**
 * The maps of a collection: created, found where they are pinned, or given by the caller.
 *
 * @module
 */
import type { MapTypeIds, StructOpsImage } from "../../lib/linker/mod.ts";
import type { CollectionSpec, MapSpec } from "../../lib/spec/mod.ts";
import { BpfMapFlag, BpfMapType } from "../../lib/uapi/mod.ts";
import { BpfMap, checkFit } from "../map/mod.ts";
import { BPF_FS, pin, unpin } from "../pin/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";

/** Where maps come from. */
export interface MapOptions {
  /**
   * Maps that take the place of the object's, by name; what is not their own stays open when the collection closes. They must
   * be like those that they replace; initial values and contents are not written to them.
   */
  readonly maps?: ReadonlyMap<string, BpfMap> | Readonly<Record<string, BpfMap>> | undefined;
  /** Directory of a BPF file system for maps that are pinned by name; `/sys/fs/bpf` by default, as with libbpf. */
  readonly pinPath?: string | undefined;
  /** File descriptor of a BPF token, which stands for the caller's rights (6.9). */
  readonly token?: number | undefined;
}

/** What creating maps needs of the collection. */
export interface MapTypes {
  /** The collection's loaded BTF. */
  readonly btf: sys.Fd | undefined;
  /** Ids of the types of keys and values, by name of map. */
  readonly ids: ReadonlyMap<string, MapTypeIds>;
  /** The struct_ops maps as the kernel takes them, by name. */
  readonly structOps: ReadonlyMap<string, StructOpsImage>;
  /** Opened BTF of modules, by name of module: those that struct_ops are of. */
  readonly modules: ReadonlyMap<string, sys.Fd>;
}

/** The maps of a collection. */
export interface Maps {
  /** By name. */
  readonly all: Map<string, BpfMap>;
  /** Names of those that were there before. */
  readonly reused: ReadonlySet<string>;
}

/**
 * Makes the maps of a collection.
 *
 * @param owned Gets what has to be closed with the collection.
 * @param undo Gets what has to be undone should the load fail later: pins.
 * @throws {Error} if a map that is given or pinned does not fit.
 * @throws {sys.SyscallError} if the kernel refuses one.
 */
export function makeMaps(
  spec: CollectionSpec,
  types: MapTypes,
  options: MapOptions,
  owned: DisposableStack,
  undo: DisposableStack,
): Maps {
  const given = givenMaps(spec, options.maps);
  const all = new Map<string, BpfMap>();
  const reused = new Set<string>();
  for (const declared of spec.maps.values()) {
    if (declared.autocreate === false) continue;
    const map = asKernelTakes(declared, types);
    const replacement = given.get(map.name);
    if (replacement !== undefined) {
      checkFit(map, replacement.info(), "the map that is given for it", "give one that is like it");
      all.set(map.name, replacement);
      reused.add(map.name);
    } else if (map.pinning === "by-name") {
      const { made, found } = pinnedMap(map, types, options, owned, undo);
      all.set(map.name, made);
      if (found) reused.add(map.name);
    } else {
      all.set(map.name, createFilled(map, types, options, owned));
    }
  }
  return { all, reused };
}

/** A struct_ops map holds the kernel's struct, not the object's. */
function asKernelTakes(map: MapSpec, { structOps }: MapTypes): MapSpec {
  const image = structOps.get(map.name);
  return image === undefined ? map : { ...map, valueSize: image.valueType.size, value: image.valueType };
}

/** Before any program is verified: the verifier takes frozen values for constants. */
function createFilled(map: MapSpec, types: MapTypes, options: MapOptions, owned: DisposableStack): BpfMap {
  const { token } = options;
  const image = types.structOps.get(map.name);
  const kernelType = image === undefined
    ? undefined
    : { id: image.valueType.id, module: types.modules.get(image.target.name) };
  const made = owned.use(BpfMap.create(map, { btf: types.btf, types: types.ids.get(map.name), kernelType, token }));
  if (map.type === BpfMapType.BPF_MAP_TYPE_ARENA) mapArena(made, owned);
  else made.fill();
  return made;
}

/** Programs are verified for the address at which an arena is mapped, so it stays mapped. */
function mapArena(made: BpfMap, owned: DisposableStack): void {
  const { arena, flags } = made.spec;
  if (arena !== undefined) owned.use(made.view()).bytes.set(arena.data, arena.offset);
  // Without variables nothing is touched, so even one whose absent pages kill can be mapped.
  else if ((flags & BpfMapFlag.BPF_F_SEGV_ON_FAULT) === 0) owned.use(made.view());
  else if (made.spec.extra === 0n) {
    const length = made.spec.maxEntries * sys.pageSize();
    owned.use(sys.mapMemory({ fd: made.fd, length, writable: true }));
  }
}

function pinnedMap(
  map: MapSpec,
  types: MapTypes,
  options: MapOptions,
  owned: DisposableStack,
  undo: DisposableStack,
): { made: BpfMap; found: boolean } {
  // libbpf's file names: the kernel keeps dots in names for itself.
  const path = `${options.pinPath ?? BPF_FS}/${map.name.replaceAll(".", "_")}`;
  const there = openPinned(path, map, owned);
  if (there !== undefined) return { made: there, found: true };
  const made = createFilled(map, types, options, owned);
  try {
    pin(made, path, { makeDirs: true });
  } catch (error) {
    // Somebody else was faster: theirs counts.
    const other = sys.exists(path) ? openPinned(path, map, owned) : undefined;
    if (other !== undefined) return { made: other, found: true };
    throw error instanceof Error ? new Error(`map "${map.name}": ${error.message}`, { cause: error }) : error;
  }
  undo.defer(() => unpin(path));
  return { made, found: false };
}

function openPinned(path: string, map: MapSpec, owned: DisposableStack): BpfMap | undefined {
  let fd: sys.Fd;
  try {
    fd = owned.use(sys.objGet(path));
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    if (error.code === "ENOENT") return undefined;
    throw error.at(`map "${map.name}"`);
  }
  const info = pinnedInfo(fd, map, path);
  checkFit(map, info, `what is pinned at "${path}"`, "unpin it, or load with another pinPath");
  return BpfMap.fromFd(fd, map);
}

function pinnedInfo(fd: sys.Fd, map: MapSpec, path: string): sys.MapInfo {
  const kind = sys.objectKind(fd.value);
  if (kind === "map") return sys.mapInfo(fd.value);
  throw new Error(`map "${map.name}": what is pinned at "${path}" is no map but a ${kind}: unpin it`);
}

function givenMaps(spec: CollectionSpec, maps: MapOptions["maps"]): ReadonlyMap<string, BpfMap> {
  if (maps === undefined) return new Map();
  const given = maps instanceof Map ? maps as ReadonlyMap<string, BpfMap> : new Map(Object.entries(maps));
  for (const name of given.keys()) {
    if (spec.maps.has(name)) continue;
    const names = [...spec.maps.keys()].map((other) => `"${other}"`).join(", ") || "none";
    throw new Error(`${spec.name}: it has no map "${name}" to be replaced; there are ${names}`);
  }
  return given;
}

/** Puts the declared maps and programs into maps of maps and program arrays; an inner map that was there before stays. */
export function fillContents(maps: Maps, programs: ReadonlyMap<string, BpfProgram>): void {
  for (const [name, map] of maps.all) {
    for (const { index, kind, name: element } of map.spec.contents) {
      if (kind === "map" && maps.reused.has(name)) continue;
      const object = kind === "map" ? maps.all.get(element) : programs.get(element);
      // A program that is not loaded leaves its place in the array empty; with libbpf the load fails.
      if (object !== undefined) map.raw.set(word(index), word(object.fd));
    }
  }
}

/** A key or value of 4 bytes: declarations need not say a type. */
function word(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

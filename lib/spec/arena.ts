/**
 * Variables in an arena: clang puts those of address space 1 into a section of their own, and the loader into the object's only
 * arena map (6.9). The rules are libbpf 1.8's.
 *
 * @module
 */
import type { DatasecType } from "../btf/mod.ts";
import { type ElfFile, type Section, sectionPlace } from "../elf/mod.ts";
import { LinkError } from "../errors.ts";
import { BpfMapType } from "../uapi/mod.ts";
import type { MapSpec } from "./types.ts";

/** The page size with which arenas are measured where the caller names none. */
const DEFAULT_PAGE_SIZE = 4096;

/** What the arena's variables are read with. */
export interface ArenaContext {
  readonly elf: ElfFile;
  /** The variables of section `.addr_space.1`, complete; `undefined` without BTF. */
  readonly variables: DatasecType | undefined;
  readonly pageSize: number | undefined;
}

/**
 * The object's arena; `undefined` if it has none.
 *
 * @throws {LinkError} if it has several: nothing would say which one a variable is in.
 */
export function findArena(maps: readonly MapSpec[], what: string): MapSpec | undefined {
  const [arena, second] = maps.filter(({ type }) => type === BpfMapType.BPF_MAP_TYPE_ARENA);
  if (second === undefined) return arena;
  throw new LinkError(`${what}: maps "${arena!.name}" and "${second.name}" are both arenas: an object can have one`);
}

/**
 * Puts the variables of a section into the arena.
 *
 * @throws {LinkError} if there is no arena, or it is too small.
 */
export function fillArena(arena: MapSpec | undefined, section: Section, context: ArenaContext): void {
  const { elf, variables, pageSize = DEFAULT_PAGE_SIZE } = context;
  const place = `${elf.what}: ${sectionPlace(section)}`;
  if (arena === undefined) {
    throw new LinkError(
      `${place} holds variables in an arena, but no map in SEC(".maps") is one: add __uint(type, BPF_MAP_TYPE_ARENA)`,
    );
  }
  if (Math.ceil(section.size / pageSize) > arena.maxEntries) {
    throw new LinkError(
      `${place}: its ${section.size} bytes do not fit map "${arena.name}" of ${arena.maxEntries} pages: raise max_entries`,
    );
  }
  arena.arena = { data: section.bytes().slice(), offset: 0 };
  if (variables !== undefined) arena.arena.variables = variables;
}

/**
 * Where in the arena its variables are put: at its end, in whole pages, or at its start in kernels that take no large offsets
 * in a map's value.
 *
 * @param atEnd Does the kernel take them (7.0).
 */
export function arenaOffset(map: MapSpec, pageSize: number, atEnd: boolean): number {
  const size = map.arena?.data.length ?? 0;
  return atEnd ? map.maxEntries * pageSize - Math.ceil(size / pageSize) * pageSize : 0;
}

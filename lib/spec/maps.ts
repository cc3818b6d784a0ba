/**
 * The maps that an object declares in section `.maps`, and their declared contents.
 *
 * @module
 */
import { type Btf, type DatasecType, skipModifiersAndTypedefs, type StructType } from "../btf/mod.ts";
import { type ElfFile, type Relocation, type Section, sectionPlace, STT } from "../elf/mod.ts";
import { FormatError, LinkError } from "../errors.ts";
import { BpfMapType, BtfKind, isMapOfMaps } from "../uapi/mod.ts";
import { completeDatasec, findDatasec, type VariableSymbols } from "./datasec.ts";
import type { DeclTags } from "./decl_tags.ts";
import { readMapDefinition } from "./map_definition.ts";
import type { MapContent, MapSpec } from "./types.ts";

/** A pointer in an object file, in bytes. */
const POINTER_SIZE = 8;

/** A map and where it is defined. */
export interface DeclaredMap {
  readonly map: MapSpec;
  /** Offset of its variable in `.maps`. */
  readonly offset: number;
  /** Size of its variable in bytes. */
  readonly size: number;
  readonly definition: StructType;
}

/** What maps are read with. */
export interface MapContext {
  readonly elf: ElfFile;
  readonly btf: Btf | undefined;
  readonly symbols: VariableSymbols;
  readonly tags: DeclTags;
  readonly pageSize: number | undefined;
}

/**
 * The maps of section `.maps`, in ascending order of their offsets.
 *
 * @throws {LinkError} if a definition does not hold.
 * @throws {FormatError} if BTF does not describe the section.
 */
export function readDeclaredMaps(section: Section, context: MapContext): DeclaredMap[] {
  const { elf, btf, symbols } = context;
  if (btf === undefined) {
    throw new FormatError(`${elf.what}: has maps, but no BTF that defines them: compile with clang -g`);
  }
  const datasec = findDatasec(btf, section.name);
  if (datasec === undefined) {
    throw new FormatError(`${elf.what}: its BTF does not describe ${sectionPlace(section)}: compile with clang -g`);
  }
  return readEntries(completeDatasec(datasec, section, symbols, elf.what), context);
}

function readEntries(datasec: DatasecType, { elf, tags, pageSize }: MapContext): DeclaredMap[] {
  const maps: DeclaredMap[] = [];
  for (const { type: variable, offset, size } of datasec.entries) {
    // An extern map is defined in another object: references to it carry an extern.
    if (variable.kind !== BtfKind.Var || variable.linkage === "extern") continue;
    const name = variable.name;
    if (variable.linkage === "static") {
      throw new LinkError(`${elf.what}: map "${name}" is static or hidden, which maps cannot be: make it global`);
    }
    const definition = skipModifiersAndTypedefs(variable.target);
    if (definition.kind !== BtfKind.Struct) {
      throw new LinkError(`${elf.what}: map "${name}" is not defined by a struct`);
    }
    if (definition.size > size) {
      throw new FormatError(
        `${elf.what}: map "${name}": its struct of ${definition.size} bytes is larger than the variable (${size} bytes)`,
      );
    }
    const map = readMapDefinition(definition, { what: elf.what, name, pageSize });
    map.tags = tags.texts(variable);
    maps.push({ map, offset, size, definition });
  }
  return maps;
}

/**
 * Fills in the `contents` of maps of maps and program arrays: relocations in `.maps`.
 *
 * @param programAt The name of the program that starts at a byte offset of a section.
 * @throws {LinkError} for a relocation that is in no `values` array, or does not refer to a map or program.
 */
export function readMapContents(
  section: Section,
  maps: readonly DeclaredMap[],
  elf: ElfFile,
  programAt: (section: Section, offset: number) => string | undefined,
): void {
  for (const relocation of elf.relocations(section)) {
    const home = maps.find(({ offset, size }) =>
      offset <= relocation.offset && relocation.offset + POINTER_SIZE <= offset + size
    );
    if (home === undefined) {
      throw new LinkError(
        `${elf.what}: ${sectionPlace(section)}: relocation at offset ${relocation.offset} (symbol ` +
          `"${relocation.symbol.name}") is inside of no map`,
      );
    }
    home.map.contents.push(readContent(home, relocation, section, maps, elf, programAt));
  }
}

function readContent(
  home: DeclaredMap,
  relocation: Relocation,
  section: Section,
  maps: readonly DeclaredMap[],
  elf: ElfFile,
  programAt: (section: Section, offset: number) => string | undefined,
): MapContent {
  const { map, offset, definition } = home;
  const { symbol } = relocation;
  const fail = (problem: string) => new LinkError(`${elf.what}: map "${map.name}": ${problem}`);
  const values = definition.members.at(-1);
  const start = relocation.offset - offset - (values === undefined ? 0 : values.offsetBits / 8);
  if (values?.name !== "values" || start < 0 || start % POINTER_SIZE !== 0) {
    throw fail(`"${symbol.name}" initializes something else than an element of "values"`);
  }
  const index = start / POINTER_SIZE;
  // Only section symbols have an addend, and clang refers to neither maps nor programs by those.
  if (symbol.section === undefined || symbol.type === STT.SECTION) {
    throw fail(`values[${index}] refers to "${symbol.name}", which is not a map or program of this object`);
  }
  if (isMapOfMaps(map.type)) {
    if (map.type === BpfMapType.BPF_MAP_TYPE_HASH_OF_MAPS && map.keySize !== 4) {
      throw fail(`has declared values, so its key must have 4 bytes, not ${map.keySize}`);
    }
    const target = maps.find((other) => symbol.sectionIndex === section.index && other.offset === symbol.value);
    if (target === undefined) {
      throw fail(`values[${index}] refers to "${symbol.name}", which is not a map in SEC(".maps")`);
    }
    return { index, kind: "map", name: target.map.name };
  }
  const name = programAt(symbol.section, symbol.value);
  if (name === undefined) throw fail(`values[${index}] refers to "${symbol.name}", which is not a program`);
  return { index, kind: "program", name };
}

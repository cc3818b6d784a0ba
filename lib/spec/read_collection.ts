/**
 * Reading an object file as a whole.
 *
 * @module
 */
import { Btf, type DatasecType, ExtInfos } from "../btf/mod.ts";
import { assertBpfObject, ElfFile, type Section } from "../elf/mod.ts";
import { LinkError } from "../errors.ts";
import { fillArena, findArena } from "./arena.ts";
import { type FunctionCode, readCode } from "./code.ts";
import { dataMap, objectName } from "./data_maps.ts";
import { completeDatasec, findDatasec, VariableSymbols } from "./datasec.ts";
import { DeclTags } from "./decl_tags.ts";
import { readExterns } from "./externs.ts";
import { FunctionTable } from "./functions.ts";
import { type DeclaredMap, readDeclaredMaps, readMapContents } from "./maps.ts";
import { sectionMeaning } from "./section_name.ts";
import { type ObjectSections, sortSections, TEXT_SECTION } from "./sections.ts";
import type { CollectionSpec, FunctionSpec, MapSpec, ProgramSpec, VariableSpec } from "./types.ts";
import { type DeclaredStructOps, readStructOps, readStructOpsPrograms } from "./struct_ops.ts";
import { collectVariables } from "./variables.ts";

/** How {@linkcode readCollectionSpec} reads. */
export interface ReadCollectionOptions {
  /** Name or path of the file: errors show it, and its base name begins the names of data maps. */
  name?: string;
  /** Size of a page of the kernel that will run it, by which ring buffers are rounded up; 4096 by default. */
  pageSize?: number;
}

/**
 * Reads an object file that clang or a BPF static linker made.
 *
 * @param bytes The file; must not change while the result is used.
 * @param options The file's name.
 * @throws {FormatError} if the file is not a BPF object, or is truncated or corrupt.
 * @throws {LinkError} if symbols, relocations or map definitions do not fit together.
 * @throws {UnsupportedError} for map definitions of before libbpf 1.0.
 */
export function readCollectionSpec(bytes: Uint8Array, options: ReadCollectionOptions = {}): CollectionSpec {
  const file = options.name ?? "";
  const elf = ElfFile.parse(bytes, file === "" ? "object" : `object "${file}"`);
  assertBpfObject(elf);
  return new CollectionReader(elf, objectName(file), options.pageSize).read();
}

class CollectionReader {
  readonly #elf: ElfFile;
  readonly #name: string;
  readonly #pageSize: number | undefined;
  readonly #sections: ObjectSections;
  readonly #btf: Btf | undefined;
  readonly #tags: DeclTags;
  readonly #symbols: VariableSymbols;
  readonly #functions: FunctionTable;

  constructor(elf: ElfFile, name: string, pageSize: number | undefined) {
    this.#elf = elf;
    this.#name = name;
    this.#pageSize = pageSize;
    this.#sections = sortSections(elf);
    const btf = this.#sections.btf;
    this.#btf = btf === undefined ? undefined : Btf.parse(btf.bytes(), { what: `${elf.what}: section ".BTF"` });
    this.#tags = this.#btf === undefined ? DeclTags.NONE : DeclTags.of(this.#btf);
    this.#symbols = new VariableSymbols(elf);
    this.#functions = new FunctionTable(elf, this.#sections.code);
  }

  read(): CollectionSpec {
    const declared = this.#declaredMaps();
    const data = this.#dataMaps();
    const { externs, kconfig } = readExterns({ name: this.#name, what: this.#elf.what }, this.#elf, this.#btf);
    const structOps = this.#structOps();
    const arena = findArena(declared.map(({ map }) => map), this.#elf.what);
    const arenaSection = this.#sections.arena;
    if (arenaSection !== undefined) {
      const [elf, pageSize] = [this.#elf, this.#pageSize];
      fillArena(arena, arenaSection, { elf, variables: this.#variables(arenaSection), pageSize });
    }
    const maps = this.#mapsByName([
      ...declared.map(({ map }) => map),
      ...data.values(),
      ...(kconfig === undefined ? [] : [kconfig]),
      ...structOps.map(({ map }) => map),
    ]);
    const code = this.#code({
      mapsSection: this.#sections.maps,
      mapsByOffset: new Map(declared.map(({ map, offset }) => [offset, map])),
      dataBySection: arenaSection === undefined ? data : new Map([...data, [arenaSection.index, arena!]]),
      jumpTables: this.#sections.jumpTables,
      externs,
    });
    const programs = new Map<string, ProgramSpec>();
    const functions: FunctionSpec[] = [];
    for (const { place, instructions } of code) {
      const { label, section } = place;
      if (section.name === TEXT_SECTION) {
        functions.push({ label, section: section.name, instructions });
      } else {
        if (programs.has(label.name)) {
          throw new LinkError(`${this.#elf.what}: two programs are named "${label.name}"`);
        }
        programs.set(label.name, { name: label.name, ...sectionMeaning(section.name), label, instructions });
      }
    }
    if (this.#sections.maps !== undefined) {
      readMapContents(this.#sections.maps, declared, this.#elf, (section, offset) => this.#programAt(section, offset));
    }
    for (const section of this.#sections.structOps) {
      readStructOpsPrograms(section, structOps, this.#elf, (target, offset) => {
        const name = this.#programAt(target, offset);
        return name === undefined ? undefined : programs.get(name);
      });
    }
    const variables = new Map<string, VariableSpec>();
    for (const map of data.values()) collectVariables(map, this.#elf.order, variables);
    if (arena !== undefined) collectVariables(arena, this.#elf.order, variables);
    return {
      name: this.#name,
      order: this.#elf.order,
      license: this.#sections.license,
      kernelVersion: this.#sections.kernelVersion,
      btf: this.#btf,
      maps,
      programs,
      functions,
      variables,
      externs,
    };
  }

  #declaredMaps(): DeclaredMap[] {
    const section = this.#sections.maps;
    if (section === undefined) return [];
    return readDeclaredMaps(section, {
      elf: this.#elf,
      btf: this.#btf,
      symbols: this.#symbols,
      tags: this.#tags,
      pageSize: this.#pageSize,
    });
  }

  #structOps(): DeclaredStructOps[] {
    const context = { elf: this.#elf, btf: this.#btf, symbols: this.#symbols };
    return this.#sections.structOps.flatMap((section) => readStructOps(section, context));
  }

  /** What BTF says of the variables in a section. */
  #variables(section: Section): DatasecType | undefined {
    const datasec = this.#btf === undefined ? undefined : findDatasec(this.#btf, section.name);
    return datasec && completeDatasec(datasec, section, this.#symbols, this.#elf.what);
  }

  /** Maps of global data by the index of their section. */
  #dataMaps(): Map<number, MapSpec> {
    const maps = new Map<number, MapSpec>();
    for (const { kind, section } of this.#sections.data) {
      const object = { name: this.#name, what: this.#elf.what };
      maps.set(section.index, dataMap(object, kind, section, this.#variables(section)));
    }
    return maps;
  }

  #mapsByName(all: readonly MapSpec[]): Map<string, MapSpec> {
    const maps = new Map<string, MapSpec>();
    for (const map of all) {
      if (maps.has(map.name)) throw new LinkError(`${this.#elf.what}: two maps are named "${map.name}"`);
      maps.set(map.name, map);
    }
    return maps;
  }

  #code(
    targets: {
      mapsSection: Section | undefined;
      jumpTables: Section | undefined;
      mapsByOffset: ReadonlyMap<number, MapSpec>;
      dataBySection: ReadonlyMap<number, MapSpec>;
      externs: CollectionSpec["externs"];
    },
  ): FunctionCode[] {
    const { btfExt, code } = this.#sections;
    const extInfos = btfExt === undefined || this.#btf === undefined
      ? undefined
      : ExtInfos.parse(btfExt.bytes(), this.#btf, { what: `${this.#elf.what}: section ".BTF.ext"` });
    const names = new Set<string>();
    return code.flatMap((section) => {
      // Ext infos name sections, so two of one name cannot be told apart.
      if (names.has(section.name)) {
        throw new LinkError(`${this.#elf.what}: two sections of instructions are named "${section.name}"`);
      }
      names.add(section.name);
      return readCode(section, {
        elf: this.#elf,
        functions: this.#functions,
        extInfos,
        tags: this.#tags,
        ...targets,
      });
    });
  }

  #programAt(section: Section, offset: number): string | undefined {
    if (section.name === TEXT_SECTION) return undefined;
    return this.#functions.startingAt(section, offset)?.label.name;
  }
}

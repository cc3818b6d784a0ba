/**
 * What an object expects from outside: its undefined symbols, and what BTF says about them.
 *
 * @module
 */
import {
  type Btf,
  type BtfType,
  type DatasecType,
  type FuncType,
  skipModifiersAndTypedefs,
  type VarType,
} from "../btf/mod.ts";
import { type ElfFile, type ElfSymbol, SHN, STT } from "../elf/mod.ts";
import { BtfKind } from "../uapi/mod.ts";
import { KCONFIG_SECTION, layOutKconfig } from "./kconfig.ts";
import { MAPS_SECTION } from "./sections.ts";
import type { ExternKind, ExternSpec, MapSpec } from "./types.ts";

/** The section of kernel symbols. */
const KSYMS_SECTION = ".ksyms";

/** Is `symbol` declared here and defined elsewhere. */
export function isExtern(symbol: ElfSymbol): boolean {
  return symbol.sectionIndex === SHN.UNDEF && symbol.type === STT.NOTYPE && symbol.name !== "" &&
    (symbol.binding === "global" || symbol.binding === "weak");
}

/** What an object expects, and the map that its configuration options lie in. */
export interface ObjectExterns {
  /**
   * By name, in the order in which libbpf numbers them: options of the configuration as they lie in their map, then kernel
   * symbols by name, then the rest in the order of the object's symbols.
   */
  readonly externs: Map<string, ExternSpec>;
  /** The map of section `.kconfig`; `undefined` without options. */
  readonly kconfig: MapSpec | undefined;
}

/**
 * The externs of an object.
 *
 * @param object The object's name, and how errors call it.
 * @throws {UnsupportedError} for an option of the configuration of a type that it cannot have.
 */
export function readExterns(
  object: { readonly name: string; readonly what: string },
  elf: ElfFile,
  btf: Btf | undefined,
): ObjectExterns {
  const found = findExterns(elf, btf);
  const ofSection = (section: string) => found.filter((extern) => extern.section === section);
  const layout = layOutKconfig(object, ofSection(KCONFIG_SECTION));
  const ksyms = ofSection(KSYMS_SECTION).sort((a, b) => a.name < b.name ? -1 : 1);
  const others = found.filter(({ section }) => section !== KCONFIG_SECTION && section !== KSYMS_SECTION);
  const externs = new Map<string, ExternSpec>();
  for (const [name, kconfig] of layout?.slots ?? []) {
    externs.set(name, { ...found.find((extern) => extern.name === name)!, kconfig });
  }
  for (const extern of [...ksyms, ...others]) externs.set(extern.name, extern);
  return { externs, kconfig: layout?.map };
}

function findExterns(elf: ElfFile, btf: Btf | undefined): ExternSpec[] {
  const externs = new Map<string, ExternSpec>();
  let sections: ReadonlyMap<number, string> | undefined;
  for (const symbol of elf.symbols) {
    if (!isExtern(symbol)) continue;
    const type = btf === undefined ? undefined : findDeclaration(btf, symbol.name);
    if (btf !== undefined) sections ??= sectionsOfVariables(btf);
    const section = type === undefined ? "" : sections?.get(type.id) ?? "";
    externs.set(symbol.name, {
      name: symbol.name,
      kind: externKind(type, section),
      section,
      weak: symbol.binding === "weak",
      type,
    });
  }
  return [...externs.values()];
}

function findDeclaration(btf: Btf, name: string): VarType | FuncType | undefined {
  for (const id of btf.findIds(name)) {
    const type = btf.type(id);
    if ((type.kind === BtfKind.Var || type.kind === BtfKind.Func) && type.linkage === "extern") return type;
  }
  return undefined;
}

/** Names of the sections that list a variable or function, by its type id. */
function sectionsOfVariables(btf: Btf): Map<number, string> {
  const sections = new Map<number, string>();
  for (let id = btf.ownStartId; id < btf.typeCount; id++) {
    if (btf.kindOf(id) !== BtfKind.Datasec) continue;
    const datasec = btf.type(id) as DatasecType;
    for (const { type } of datasec.entries) sections.set(type.id, datasec.name);
  }
  return sections;
}

function externKind(type: BtfType | undefined, section: string): ExternKind {
  switch (type?.kind) {
    case BtfKind.Func:
      return section === KSYMS_SECTION ? "kfunc" : "function";
    case BtfKind.Var:
      if (section === KCONFIG_SECTION) return "kconfig";
      if (section === KSYMS_SECTION) return isTypeless(type.target) ? "ksym" : "ksym_var";
      return section === MAPS_SECTION ? "map" : "variable";
    default:
      return "unknown";
  }
}

/** `extern const void schedule __ksym` asks for an address, whatever is there. */
function isTypeless(type: BtfType): boolean {
  return skipModifiersAndTypedefs(type).kind === BtfKind.Unknown;
}

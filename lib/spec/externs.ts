/**
 * What an object expects from outside: its undefined symbols, and what BTF says about them.
 *
 * @module
 */
import { type Btf, type BtfType, type DatasecType, type FuncType, skipModifiers, type VarType } from "../btf/mod.ts";
import { type ElfFile, type ElfSymbol, SHN, STT } from "../elf/mod.ts";
import { BtfKind } from "../uapi/mod.ts";
import { MAPS_SECTION } from "./sections.ts";
import type { ExternKind, ExternSpec } from "./types.ts";

/** Is `symbol` declared here and defined elsewhere. */
export function isExtern(symbol: ElfSymbol): boolean {
  return symbol.sectionIndex === SHN.UNDEF && symbol.type === STT.NOTYPE && symbol.name !== "" &&
    (symbol.binding === "global" || symbol.binding === "weak");
}

/** The externs of `elf` by name, in the order of its symbols. */
export function readExterns(elf: ElfFile, btf: Btf | undefined): Map<string, ExternSpec> {
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
  return externs;
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
      return section === ".ksyms" ? "kfunc" : "function";
    case BtfKind.Var:
      if (section === ".kconfig") return "kconfig";
      if (section === ".ksyms") return skipModifiers(type.target).kind === BtfKind.Unknown ? "ksym" : "ksym_var";
      return section === MAPS_SECTION ? "map" : "variable";
    default:
      return "unknown";
  }
}

/**
 * Sections of variables in BTF: clang leaves their sizes and the offsets of global variables 0, which only the ELF
 * symbols know. The kernel wants both, ascending. (Static variables have their offset: it is the addend of a
 * relocation against the section, which stays in place.)
 *
 * @module
 */
import type { Btf, BtfType, DatasecEntry, DatasecType, VarType } from "../btf/mod.ts";
import { type ElfFile, type ElfSymbol, type Section, STT, STV } from "../elf/mod.ts";
import { FormatError, LinkError } from "../errors.ts";
import { BtfKind } from "../uapi/mod.ts";

/** The `BTF_KIND_DATASEC` of an ELF section, as the compiler left it. */
export function findDatasec(btf: Btf, section: string): DatasecType | undefined {
  const type = btf.find(section, BtfKind.Datasec);
  return type?.kind === BtfKind.Datasec ? type : undefined;
}

/** The global variables of an object by name. */
export class VariableSymbols {
  readonly #byName = new Map<string, ElfSymbol>();

  /** Finds the symbols of `elf`. */
  constructor(elf: ElfFile) {
    for (const symbol of elf.symbols) {
      if (symbol.type !== STT.OBJECT || (symbol.binding !== "global" && symbol.binding !== "weak")) continue;
      if (!this.#byName.has(symbol.name)) this.#byName.set(symbol.name, symbol);
    }
  }

  /** The symbol of the global or weak variable `name`. */
  get(name: string): ElfSymbol | undefined {
    return this.#byName.get(name);
  }
}

/** Symbols with restricted visibility are, for verifier and loader, like static ones. */
export function isHidden(symbol: ElfSymbol): boolean {
  return symbol.visibility === STV.HIDDEN || symbol.visibility === STV.INTERNAL;
}

/**
 * `datasec` with its size, its offsets in ascending order, and hidden variables made static.
 *
 * @param section The ELF section of the same name.
 * @throws {LinkError} if a variable has no symbol in the section.
 * @throws {FormatError} if a member is no variable or lies outside the section.
 */
export function completeDatasec(
  datasec: DatasecType,
  section: Section,
  symbols: VariableSymbols,
  what: string,
): DatasecType {
  const place = `${what}: section "${section.name}"`;
  // Static linkers fill in sizes and offsets; then those hold.
  const complete = datasec.size !== 0;
  const entries: DatasecEntry[] = [];
  for (const entry of datasec.entries) {
    const variable = entry.type;
    if (variable.kind !== BtfKind.Var) {
      throw new FormatError(`${place}: its BTF lists "${variable.name}", which is not a variable`);
    }
    entries.push(
      variable.linkage === "global" ? completeEntry(entry, variable, section, symbols, complete, place) : entry,
    );
  }
  for (const { type, offset, size } of entries) {
    if (type.kind === BtfKind.Var && type.linkage === "extern") continue;
    if (offset + size > section.size) {
      throw new FormatError(
        `${place}: variable "${type.name}" at offset ${offset} (${size} bytes) lies outside its ${section.size} bytes`,
      );
    }
  }
  entries.sort((a, b) => a.offset - b.offset);
  return { kind: BtfKind.Datasec, id: 0, name: datasec.name, size: complete ? datasec.size : section.size, entries };
}

function completeEntry(
  entry: DatasecEntry,
  variable: VarType,
  section: Section,
  symbols: VariableSymbols,
  complete: boolean,
  place: string,
): DatasecEntry {
  const symbol = symbols.get(variable.name);
  if (symbol === undefined || symbol.sectionIndex !== section.index) {
    throw new LinkError(
      `${place}: variable "${variable.name}" is in BTF, but has no symbol in this section: was the object stripped?`,
    );
  }
  const type: BtfType = isHidden(symbol)
    ? { kind: BtfKind.Var, id: 0, name: variable.name, target: variable.target, linkage: "static" }
    : variable;
  return { type, offset: complete ? entry.offset : symbol.value, size: entry.size };
}

/**
 * Versions of a library's symbols: `memcpy@@GLIBC_2.14` and `memcpy@GLIBC_2.2.5` are both called `memcpy`.
 *
 * Source: Linux Standard Base, Symbol Versioning.
 *
 * @module
 */
import { type ByteOrder, ByteView } from "../bytes.ts";
import { SHT } from "./constants.ts";
import { readName, type Section, sectionPlace } from "./section.ts";

/** `Elf64_Verdef`; `aux` and `next` count from its start. */
const VERDEF = { ndx: 4, aux: 12, next: 16, bytes: 20 } as const;
/** `Elf64_Verdaux` */
const VERDAUX = { name: 0, bytes: 8 } as const;
/** Set in a symbol's entry: it is not the version that a new program gets. */
const VERSYM_HIDDEN = 0x8000;

/** The versions of the dynamic symbols of a file. */
export class SymbolVersions {
  readonly #ofSymbol: ByteView | undefined;
  readonly #names: ReadonlyMap<number, string>;

  /**
   * Reads the table of versions.
   *
   * @param sections The sections of the file.
   * @param order Its byte order.
   * @param what How errors call it.
   * @throws {FormatError} if a table does not hold.
   */
  constructor(sections: readonly Section[], order: ByteOrder, what: string) {
    const view = (section: Section) => new ByteView(section.bytes(), order, `${what}: ${sectionPlace(section)}`);
    const ofSymbol = sections.find(({ type }) => type === SHT.GNU_VERSYM);
    const definitions = sections.find(({ type }) => type === SHT.GNU_VERDEF);
    const names = definitions && sections[definitions.link];
    this.#ofSymbol = ofSymbol && view(ofSymbol);
    this.#names = definitions && names ? definedVersions(view(definitions), view(names)) : new Map();
  }

  /** Name of the version of dynamic symbol number `index`; `undefined` without one. */
  name(index: number): string | undefined {
    return this.#names.get(this.#entry(index) & ~VERSYM_HIDDEN);
  }

  /** Is it an old version, which only programs get that were linked with it. */
  isHidden(index: number): boolean {
    return (this.#entry(index) & VERSYM_HIDDEN) !== 0;
  }

  #entry(index: number): number {
    return this.#ofSymbol !== undefined && index * 2 + 2 <= this.#ofSymbol.length ? this.#ofSymbol.u16(index * 2) : 0;
  }
}

function definedVersions(definitions: ByteView, names: ByteView): Map<number, string> {
  const versions = new Map<number, string>();
  for (let at = 0;;) {
    definitions.check(at, VERDEF.bytes, "version");
    const aux = at + definitions.u32(at + VERDEF.aux);
    definitions.check(aux, VERDAUX.bytes, "name of a version");
    const name = readName(names, definitions.u32(aux + VERDAUX.name), "name of a version");
    versions.set(definitions.u16(at + VERDEF.ndx), name);
    const next = definitions.u32(at + VERDEF.next);
    if (next === 0) return versions;
    at += next;
  }
}

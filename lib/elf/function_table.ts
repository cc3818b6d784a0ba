/**
 * Functions in a symbol table, found without decoding the table: a program may have a million symbols.
 *
 * @module
 */
import { type ByteOrder, ByteView } from "../bytes.ts";
import { FormatError } from "../errors.ts";
import { SHN, SHT, STB, STT } from "./constants.ts";
import { readName, type Section, sectionPlace } from "./section.ts";
import { SYM } from "./symbol.ts";
import type { SymbolVersions } from "./symbol_versions.ts";

/** A function of a program or library. */
export interface FunctionSymbol {
  /** Its name, without version. */
  readonly name: string;
  /** Its version (`"GLIBC_2.14"`), where the library has versions. */
  readonly version: string | undefined;
  /** Is it an old version, which only programs get that were linked with it. */
  readonly hidden: boolean;
  /** Address as the file says it: {@linkcode Executable.fileOffset} tells where it is in the file. */
  readonly address: number;
  /** Size in bytes; 0 if not known. */
  readonly size: number;
  /** May another of its name take its place. */
  readonly weak: boolean;
  /** Does it only choose the function that is called (`STT_GNU_IFUNC`), when the program starts. */
  readonly indirect: boolean;
}

/** What begins the version in a name of a symbol table that is not for the dynamic linker. */
const AT = "@".charCodeAt(0);

/** A symbol table of which only functions that the file defines count. */
export class FunctionTable {
  readonly #symbols: ByteView;
  readonly #names: ByteView;
  readonly #versions: SymbolVersions | undefined;

  /**
   * Takes the symbol table in `section`.
   *
   * @param section The table.
   * @param sections All sections.
   * @param order Byte order of the file.
   * @param what How errors call the file.
   * @param versions The versions, for the dynamic linker's table.
   * @throws {FormatError} if table or string table do not hold.
   */
  constructor(
    section: Section,
    sections: readonly Section[],
    order: ByteOrder,
    what: string,
    versions?: SymbolVersions,
  ) {
    const place = `${what}: ${sectionPlace(section)}`;
    const names = sections[section.link];
    if (names?.type !== SHT.STRTAB) {
      throw new FormatError(`${place}: sh_link names section ${section.link}, which is no string table`);
    }
    this.#symbols = new ByteView(section.bytes(), order, place);
    this.#names = new ByteView(names.bytes(), order, `${what}: ${sectionPlace(names)}`);
    this.#versions = versions;
  }

  /** The functions of that name, of all versions. */
  named(name: string): FunctionSymbol[] {
    const wanted = new TextEncoder().encode(name);
    return [...this.#select((at) => this.#isName(at, wanted))];
  }

  /** All functions. */
  all(): Generator<FunctionSymbol, undefined> {
    return this.#select(() => true);
  }

  /** Does it say that the file calls a function of that name which is elsewhere. */
  imports(name: string): boolean {
    const wanted = new TextEncoder().encode(name);
    const table = this.#symbols;
    for (let at = SYM.bytes; at + SYM.bytes <= table.length; at += SYM.bytes) {
      if (table.u16(at + SYM.shndx) === SHN.UNDEF && this.#isName(table.u32(at + SYM.name), wanted)) return true;
    }
    return false;
  }

  /** Whether at `at` of the string table is `wanted`, or that with a version. */
  #isName(at: number, wanted: Uint8Array): boolean {
    const names = this.#names.bytes;
    for (let i = 0; i < wanted.length; i++) if (names[at + i] !== wanted[i]) return false;
    const next = names[at + wanted.length];
    return next === 0 || next === AT;
  }

  *#select(wants: (name: number) => boolean): Generator<FunctionSymbol, undefined> {
    const table = this.#symbols;
    for (let at = SYM.bytes; at + SYM.bytes <= table.length; at += SYM.bytes) {
      const info = table.u8(at + SYM.info);
      const type = info & 0xf;
      if (type !== STT.FUNC && type !== STT.GNU_IFUNC) continue;
      if (table.u16(at + SYM.shndx) === SHN.UNDEF || !wants(table.u32(at + SYM.name))) continue;
      const index = at / SYM.bytes;
      const text = readName(this.#names, table.u32(at + SYM.name), `name of symbol ${index}`);
      // In a table that is not the dynamic linker's, `@` in the name says what its versions say there.
      const [, name = text, hidden, version] = /^(.+?)(@@?)(.+)$/.exec(text) ?? [];
      yield {
        name,
        version: version ?? this.#versions?.name(index),
        hidden: hidden === "@" || (this.#versions?.isHidden(index) ?? false),
        address: table.size64(at + SYM.value),
        size: table.size64(at + SYM.size),
        weak: info >> 4 === STB.WEAK,
        indirect: type === STT.GNU_IFUNC,
      };
    }
  }
}

/**
 * Symbols of an ELF64 file.
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { ByteView } from "../bytes.ts";
import { FormatError } from "../errors.ts";
import { SHN, SHT, STB, STT } from "./constants.ts";
import { readName, type Section, sectionPlace } from "./section.ts";

/** `Elf64_Sym`. */
export const SYM = {
  name: 0,
  info: 4,
  other: 5,
  shndx: 6,
  value: 8,
  size: 16,
  bytes: 24,
} as const;

/** How far a symbol is seen; `other` for bindings that only some systems have. */
export type SymbolBinding = "local" | "global" | "weak" | "other";

/** An entry of the symbol table. */
export interface ElfSymbol {
  /** Its place in the symbol table; what relocations call it. */
  readonly index: number;
  /** Its name; for a nameless section symbol, the section's. */
  readonly name: string;
  /** How far it is seen. */
  readonly binding: SymbolBinding;
  /** `STB.*`, also where `binding` is `other`. */
  readonly rawBinding: number;
  /** `STT.*`. */
  readonly type: number;
  /** `STV.*`. */
  readonly visibility: number;
  /** Index of the section that it lies in, or `SHN.UNDEF`, `SHN.ABS`, `SHN.COMMON`. */
  readonly sectionIndex: number;
  /** The section that it lies in; `undefined` for a symbol that is undefined, absolute or common. */
  readonly section: Section | undefined;
  /** In relocatable files its offset in the section, in bytes. */
  readonly value: number;
  /** Size in bytes; 0 if not known. */
  readonly size: number;
}

const BINDINGS: ReadonlyMap<number, SymbolBinding> = new Map<
  number,
  SymbolBinding
>([
  [STB.LOCAL, "local"],
  [STB.GLOBAL, "global"],
  [STB.WEAK, "weak"],
]);

/**
 * The symbols of the table in `section`.
 *
 * @param what How errors call the file.
 * @throws {FormatError} if the table, its string table or a section index does not hold.
 */
export function readSymbols(
  section: Section,
  sections: readonly Section[],
  order: ByteOrder,
  what: string,
): ElfSymbol[] {
  const place = `${what}: ${sectionPlace(section)}`;
  const table = new ByteView(section.bytes(), order, place);
  if (section.entrySize !== SYM.bytes || table.length % SYM.bytes !== 0) {
    throw new FormatError(
      `${place}: ${table.length} bytes in symbols of ${section.entrySize} bytes: a symbol has ${SYM.bytes}`,
    );
  }
  const names = sections[section.link];
  if (names?.type !== SHT.STRTAB) {
    throw new FormatError(
      `${place}: sh_link names section ${section.link}, which is no string table`,
    );
  }
  const strings = new ByteView(
    names.bytes(),
    order,
    `${what}: ${sectionPlace(names)}`,
  );
  const extended = sections.find((other) => other.type === SHT.SYMTAB_SHNDX && other.link === section.index);
  const indices = extended &&
    new ByteView(extended.bytes(), order, `${what}: ${sectionPlace(extended)}`);
  const symbols: ElfSymbol[] = [];
  for (let at = 0; at < table.length; at += SYM.bytes) {
    const index = at / SYM.bytes;
    const info = table.u8(at + SYM.info);
    const shndx = table.u16(at + SYM.shndx);
    const sectionIndex = shndx === SHN.XINDEX ? extendedIndex(indices, index, place) : shndx;
    const reserved = shndx === SHN.UNDEF ||
      (shndx >= SHN.LORESERVE && shndx !== SHN.XINDEX);
    const home = reserved ? undefined : sections[sectionIndex];
    if (home === undefined && !reserved) {
      throw new FormatError(
        `${place}: symbol ${index} at offset ${at} lies in section ${sectionIndex}, but there are only ${sections.length}`,
      );
    }
    const type = info & 0xf;
    const name = readName(
      strings,
      table.u32(at + SYM.name),
      `name of symbol ${index}`,
    );
    symbols.push({
      index,
      name: name === "" && type === STT.SECTION && home !== undefined ? home.name : name,
      binding: BINDINGS.get(info >> 4) ?? "other",
      rawBinding: info >> 4,
      type,
      visibility: table.u8(at + SYM.other) & 3,
      sectionIndex,
      section: home,
      value: table.size64(at + SYM.value),
      size: table.size64(at + SYM.size),
    });
  }
  return symbols;
}

function extendedIndex(
  indices: ByteView | undefined,
  symbol: number,
  place: string,
): number {
  if (indices === undefined) {
    throw new FormatError(
      `${place}: symbol ${symbol} has its section index in an SHT_SYMTAB_SHNDX section, which is missing`,
    );
  }
  return indices.u32(symbol * 4, `section index of symbol ${symbol}`);
}

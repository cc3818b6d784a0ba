/**
 * Writing an ELF64 file: sections, symbols and relocations as values, offsets and tables made here.
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { UnsupportedError } from "../errors.ts";
import { SHF, SHN, SHT, STB, STT } from "./constants.ts";
import { REL } from "./relocation.ts";
import { EHDR, SHDR } from "./section.ts";
import { SYM } from "./symbol.ts";

/** A section to be written. */
export interface NewSection {
  /** Its name. */
  readonly name: string;
  /** `SHT.*`. */
  readonly type: number;
  /** `SHF.*`. */
  readonly flags: number;
  /** A power of two, in bytes; 0 and 1 mean none. */
  readonly alignment: number;
  /** Size of an entry in bytes, for tables; else 0. */
  readonly entrySize: number;
  /** Size in bytes (that of memory for `SHT.NOBITS`). */
  readonly size: number;
  /** Writes its contents into so many bytes of the file, which are 0; not called for `SHT.NOBITS`. */
  fill(bytes: Uint8Array): void;
  /** Places of the section that depend on symbols: they become a REL section. */
  readonly relocations: readonly NewRelocation[];
}

/** A symbol to be written. */
export interface NewSymbol {
  /** Its name; empty for section symbols. */
  readonly name: string;
  /** `STB.*`. */
  readonly binding: number;
  /** `STT.*`. */
  readonly type: number;
  /** `STV.*`. */
  readonly visibility: number;
  /** The section that it lies in, one of those that are written; or `SHN.UNDEF`, `SHN.ABS`. */
  readonly section: NewSection | number;
  /** Offset in the section in bytes. */
  readonly value: number;
  /** Size in bytes; 0 if not known. */
  readonly size: number;
}

/** A relocation to be written; its addend is what the place holds. */
export interface NewRelocation {
  /** Offset of the place in the section, in bytes. */
  readonly offset: number;
  /** The machine's type: `RBPF.*`. */
  readonly type: number;
  /** One of the symbols that are written. */
  readonly symbol: NewSymbol;
}

/** A file to be written. */
export interface NewElf {
  /** Byte order. */
  readonly order: ByteOrder;
  /** `ET.*`. */
  readonly type: number;
  /** `EM.*`. */
  readonly machine: number;
  /** Its sections, without the tables that are made of symbols, relocations and names. */
  readonly sections: readonly NewSection[];
  /** Its symbols, in any order: local ones are put first, as the format asks for. */
  readonly symbols: readonly NewSymbol[];
}

/** Values of `e_ident`. */
const CLASS_64 = 2;
const DATA_LITTLE = 1;
const DATA_BIG = 2;
/** `EV_CURRENT`. */
const VERSION = 1;

/** Alignment of tables whose entries have 64-bit fields. */
const TABLE_ALIGNMENT = 8;

/** A section with what its header says besides. */
interface Placed {
  readonly section: NewSection;
  readonly link: number;
  readonly info: number;
  offset: number;
}

/**
 * The bytes of a file: header, the sections in their order, their relocations, symbol table, names, section headers.
 *
 * @throws {UnsupportedError} if there are more sections than a section index without extension can name (65,279).
 */
export function writeElf(elf: NewElf): Uint8Array<ArrayBuffer> {
  return new Writer(elf).write();
}

class Writer {
  readonly #elf: NewElf;
  readonly #little: boolean;
  readonly #names = new Names();
  readonly #indices = new Map<NewSection, number>();
  readonly #symbols: readonly NewSymbol[];
  readonly #symbolIndices = new Map<NewSymbol, number>();

  constructor(elf: NewElf) {
    this.#elf = elf;
    this.#little = elf.order === "little";
    const isLocal = ({ binding }: NewSymbol) => binding === STB.LOCAL;
    this.#symbols = [...elf.symbols.filter(isLocal), ...elf.symbols.filter((symbol) => !isLocal(symbol))];
    // Index 0 is the null symbol, and the null section.
    this.#symbols.forEach((symbol, i) => this.#symbolIndices.set(symbol, i + 1));
    elf.sections.forEach((section, i) => this.#indices.set(section, i + 1));
  }

  write(): Uint8Array<ArrayBuffer> {
    const placed = this.#sections();
    if (placed.length + 1 >= SHN.LORESERVE) {
      throw new UnsupportedError(
        "more than 65,279 sections",
        `${placed.length} sections are more than an object can have`,
      );
    }
    let end: number = EHDR.size;
    for (const entry of placed) {
      const { alignment, type, size } = entry.section;
      end = alignUp(end, alignment);
      entry.offset = end;
      if (type !== SHT.NOBITS) end += size;
    }
    const table = alignUp(end, TABLE_ALIGNMENT);
    const bytes = new Uint8Array(table + (placed.length + 1) * SHDR.bytes);
    const view = new DataView(bytes.buffer);
    this.#header(bytes, view, table, placed.length + 1);
    placed.forEach((entry, i) => {
      const { section, offset } = entry;
      if (section.type !== SHT.NOBITS) section.fill(bytes.subarray(offset, offset + section.size));
      this.#sectionHeader(view, table + (i + 1) * SHDR.bytes, entry);
    });
    return bytes;
  }

  /** All sections in the order of their indices, the names last: by then all of them are known. */
  #sections(): Placed[] {
    const { sections } = this.#elf;
    const relocated = sections.filter(({ relocations }) => relocations.length > 0);
    const symbolTable = sections.length + relocated.length + 1;
    const firstGlobal = this.#symbols.findIndex(({ binding }) => binding !== STB.LOCAL);
    const placed: Placed[] = sections.map((section) => ({ section, link: 0, info: 0, offset: 0 }));
    for (const section of relocated) {
      placed.push({
        section: this.#relocationTable(section),
        link: symbolTable,
        info: this.#indices.get(section)!,
        offset: 0,
      });
    }
    placed.push({
      section: this.#symbolTable(),
      link: symbolTable + 1,
      info: firstGlobal < 0 ? this.#symbols.length + 1 : firstGlobal + 1,
      offset: 0,
    });
    for (const { section } of placed) this.#names.add(section.name);
    this.#names.add(".strtab");
    const names = this.#names.encode();
    placed.push({ section: tableOf(".strtab", SHT.STRTAB, names, 0), link: 0, info: 0, offset: 0 });
    return placed;
  }

  #relocationTable({ name, relocations }: NewSection): NewSection {
    const bytes = new Uint8Array(relocations.length * REL.relBytes);
    const view = new DataView(bytes.buffer);
    // Type and symbol are the halves of one 64-bit number.
    const [typeAt, symbolAt] = this.#little ? [0, 4] : [4, 0];
    relocations.forEach(({ offset, type, symbol }, i) => {
      const at = i * REL.relBytes;
      this.#u64(view, at + REL.offset, offset);
      view.setUint32(at + REL.info + typeAt, type, this.#little);
      view.setUint32(at + REL.info + symbolAt, this.#symbolIndices.get(symbol)!, this.#little);
    });
    return { ...tableOf(`.rel${name}`, SHT.REL, bytes, REL.relBytes), flags: SHF.INFO_LINK };
  }

  #symbolTable(): NewSection {
    const bytes = new Uint8Array((this.#symbols.length + 1) * SYM.bytes);
    const view = new DataView(bytes.buffer);
    this.#symbols.forEach((symbol, i) => {
      const { name, binding, type, visibility, section, value, size } = symbol;
      const at = (i + 1) * SYM.bytes;
      view.setUint32(at + SYM.name, type === STT.SECTION ? 0 : this.#names.add(name), this.#little);
      view.setUint8(at + SYM.info, binding << 4 | type);
      view.setUint8(at + SYM.other, visibility);
      const index = typeof section === "number" ? section : this.#indices.get(section)!;
      view.setUint16(at + SYM.shndx, index, this.#little);
      this.#u64(view, at + SYM.value, value);
      this.#u64(view, at + SYM.size, size);
    });
    return tableOf(".symtab", SHT.SYMTAB, bytes, SYM.bytes);
  }

  #header(bytes: Uint8Array, view: DataView, sectionHeaders: number, count: number): void {
    bytes.set([0x7f, 0x45, 0x4c, 0x46, CLASS_64, this.#little ? DATA_LITTLE : DATA_BIG, VERSION]);
    view.setUint16(EHDR.type, this.#elf.type, this.#little);
    view.setUint16(EHDR.machine, this.#elf.machine, this.#little);
    view.setUint32(EHDR.version, VERSION, this.#little);
    this.#u64(view, EHDR.shoff, sectionHeaders);
    view.setUint16(EHDR.ehsize, EHDR.size, this.#little);
    view.setUint16(EHDR.shentsize, SHDR.bytes, this.#little);
    view.setUint16(EHDR.shnum, count, this.#little);
    view.setUint16(EHDR.shstrndx, count - 1, this.#little);
  }

  #sectionHeader(view: DataView, at: number, { section, link, info, offset }: Placed): void {
    view.setUint32(at + SHDR.name, this.#names.add(section.name), this.#little);
    view.setUint32(at + SHDR.type, section.type, this.#little);
    this.#u64(view, at + SHDR.flags, section.flags);
    this.#u64(view, at + SHDR.offset, offset);
    this.#u64(view, at + SHDR.size, section.size);
    view.setUint32(at + SHDR.link, link, this.#little);
    view.setUint32(at + SHDR.info, info, this.#little);
    this.#u64(view, at + SHDR.addralign, section.alignment);
    this.#u64(view, at + SHDR.entsize, section.entrySize);
  }

  /** No bigints: all that is written fits 53 bits, and objects have many symbols. */
  #u64(view: DataView, at: number, value: number): void {
    const [low, high] = this.#little ? [0, 4] : [4, 0];
    view.setUint32(at + low, value % 2 ** 32, this.#little);
    view.setUint32(at + high, Math.floor(value / 2 ** 32), this.#little);
  }
}

function tableOf(name: string, type: number, bytes: Uint8Array, entrySize: number): NewSection {
  return {
    name,
    type,
    flags: 0,
    alignment: type === SHT.STRTAB ? 1 : TABLE_ALIGNMENT,
    entrySize,
    size: bytes.length,
    fill: (target) => target.set(bytes),
    relocations: [],
  };
}

function alignUp(offset: number, alignment: number): number {
  return alignment > 1 ? Math.ceil(offset / alignment) * alignment : offset;
}

/** A string table in which each name is there once. */
class Names {
  readonly #encoder = new TextEncoder();
  readonly #offsets = new Map<string, number>([["", 0]]);
  readonly #parts: Uint8Array[] = [new Uint8Array(1)];
  #length = 1;

  /** The offset of a name. */
  add(name: string): number {
    let offset = this.#offsets.get(name);
    if (offset === undefined) {
      const bytes = this.#encoder.encode(`${name}\0`);
      offset = this.#length;
      this.#offsets.set(name, offset);
      this.#parts.push(bytes);
      this.#length += bytes.length;
    }
    return offset;
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}

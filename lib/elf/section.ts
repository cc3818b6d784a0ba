/**
 * Section headers of an ELF64 file.
 *
 * @module
 */
import type { ByteView } from "../bytes.ts";
import { FormatError } from "../errors.ts";
import { SHF, SHN, SHT } from "./constants.ts";

/** `Elf64_Ehdr`. */
export const EHDR = {
  type: 16,
  machine: 18,
  version: 20,
  shoff: 40,
  ehsize: 52,
  shentsize: 58,
  shnum: 60,
  shstrndx: 62,
  size: 64,
} as const;

/** `Elf64_Shdr`. */
export const SHDR = {
  name: 0,
  type: 4,
  flags: 8,
  addr: 16,
  offset: 24,
  size: 32,
  link: 40,
  info: 44,
  addralign: 48,
  entsize: 56,
  bytes: 64,
} as const;

/**
 * Names above this are refused: names may overlap in the string table, so a hostile file of a megabyte could ask for
 * gigabytes of them. The kernel's own limit (`KSYM_NAME_LEN`) is 512.
 */
const MAX_NAME_BYTES = 4096;

/** A section of an ELF file. */
export interface Section {
  /** Its place in the section header table; what symbols and relocation sections call it. */
  readonly index: number;
  /** Its name, `""` for the null section. */
  readonly name: string;
  /** `SHT.*`. */
  readonly type: number;
  /** `SHF.*`. */
  readonly flags: number;
  /** Virtual address; 0 in relocatable files. */
  readonly address: number;
  /** Offset of its bytes in the file. */
  readonly offset: number;
  /** Size in bytes (that of memory for `SHT.NOBITS`). */
  readonly size: number;
  /** Index of a section that this one needs (`sh_link`), not checked. */
  readonly link: number;
  /** Another number (`sh_info`): for relocations, the index of the section that they change, not checked. */
  readonly info: number;
  /** Alignment in bytes. */
  readonly alignment: number;
  /** Size of an entry in bytes, for tables. */
  readonly entrySize: number;
  /**
   * Its bytes: a window on the file, no copy; empty for `SHT.NOBITS`.
   *
   * @throws {FormatError} if the section is compressed.
   */
  bytes(): Uint8Array;
}

class FileSection implements Section {
  readonly #file: ByteView;

  constructor(
    file: ByteView,
    readonly index: number,
    readonly name: string,
    readonly type: number,
    readonly flags: number,
    readonly address: number,
    readonly offset: number,
    readonly size: number,
    readonly link: number,
    readonly info: number,
    readonly alignment: number,
    readonly entrySize: number,
  ) {
    this.#file = file;
  }

  bytes(): Uint8Array {
    if (this.type === SHT.NOBITS || this.type === SHT.NULL) {
      return new Uint8Array(0);
    }
    if ((this.flags & SHF.COMPRESSED) !== 0) {
      throw new FormatError(
        `${this.#file.what}: ${
          sectionPlace(this)
        } is compressed: compile without -gz, or run objcopy --decompress-debug-sections`,
      );
    }
    return this.#file.bytes.subarray(this.offset, this.offset + this.size);
  }
}

/** How messages call a section: `section ".text" (index 3)`. */
export function sectionPlace(
  section: { readonly name: string; readonly index: number },
): string {
  return section.name === "" ? `section ${section.index}` : `section "${section.name}" (index ${section.index})`;
}

/**
 * The section headers of `file`, whose ELF header was checked to be inside.
 *
 * @throws {FormatError} if a header, a name or the bytes of a section lie outside the file, or sections overlap.
 */
export function readSections(file: ByteView): Section[] {
  const tableOffset = file.size64(EHDR.shoff);
  if (tableOffset === 0) return [];
  const entrySize = file.u16(EHDR.shentsize);
  if (entrySize !== SHDR.bytes) {
    throw new FormatError(
      `${file.what}: section headers of ${entrySize} bytes (e_shentsize at offset ${EHDR.shentsize}), not ${SHDR.bytes}`,
    );
  }
  // Counts above 0xfeff do not fit the ELF header: they are kept in the null section.
  file.check(tableOffset, SHDR.bytes, "section header 0");
  const shortCount = file.u16(EHDR.shnum);
  const count = shortCount === 0 ? file.size64(tableOffset + SHDR.size) : shortCount;
  file.check(
    tableOffset,
    count * SHDR.bytes,
    `table of ${count} section headers`,
  );
  const shortNames = file.u16(EHDR.shstrndx);
  const namesIndex = shortNames === SHN.XINDEX ? file.u32(tableOffset + SHDR.link) : shortNames;
  const names = namesIndex === SHN.UNDEF ? undefined : readNameTable(file, tableOffset, count, namesIndex);
  const sections: Section[] = [];
  for (let index = 0; index < count; index++) {
    const at = tableOffset + index * SHDR.bytes;
    const nameOffset = file.u32(at + SHDR.name);
    const name = index === 0 || names === undefined ? "" : readName(names, nameOffset, `name of section ${index}`);
    const section = new FileSection(
      file,
      index,
      name,
      file.u32(at + SHDR.type),
      file.size64(at + SHDR.flags),
      file.size64(at + SHDR.addr),
      file.size64(at + SHDR.offset),
      file.size64(at + SHDR.size),
      file.u32(at + SHDR.link),
      file.u32(at + SHDR.info),
      file.size64(at + SHDR.addralign),
      file.size64(at + SHDR.entsize),
    );
    if (hasBytes(section)) {
      file.check(section.offset, section.size, sectionPlace(section));
    }
    sections.push(section);
  }
  return sections;
}

function readNameTable(
  file: ByteView,
  tableOffset: number,
  count: number,
  index: number,
): ByteView {
  if (index >= count) {
    throw new FormatError(
      `${file.what}: the section name table is section ${index} (e_shstrndx at offset ${EHDR.shstrndx}), but there are only ${count}`,
    );
  }
  const at = tableOffset + index * SHDR.bytes;
  const type = file.u32(at + SHDR.type);
  if (type !== SHT.STRTAB) {
    throw new FormatError(
      `${file.what}: section ${index}, the section name table, has type ${type} (offset ${
        at + SHDR.type
      }), not SHT_STRTAB`,
    );
  }
  const what = `${file.what}: section ${index}, the section name table`;
  return file.sub(
    file.size64(at + SHDR.offset),
    file.size64(at + SHDR.size),
    what,
  );
}

/**
 * The NUL-terminated name at `offset` of a string table.
 *
 * @throws {FormatError} if it begins or ends outside of the table, or is too long to be a name.
 */
export function readName(
  table: ByteView,
  offset: number,
  field: string,
): string {
  if (offset === 0) return "";
  const name = table.cString(offset, field);
  if (name.length > MAX_NAME_BYTES) {
    throw new FormatError(
      `${table.what}: ${field} at offset ${offset} is longer than ${MAX_NAME_BYTES} bytes`,
    );
  }
  return name;
}

function hasBytes(section: Section): boolean {
  return section.type !== SHT.NULL && section.type !== SHT.NOBITS &&
    section.size > 0;
}

/**
 * Fails if two sections share bytes of the file. No compiler or linker makes such an object, and it would let a small
 * file describe a table many times its size.
 *
 * @throws {FormatError} naming both.
 */
export function checkOverlap(sections: readonly Section[], what: string): void {
  const inOrder = sections.filter(hasBytes).sort((a, b) => a.offset - b.offset);
  let last: Section | undefined;
  for (const section of inOrder) {
    if (last !== undefined && section.offset < last.offset + last.size) {
      throw new FormatError(
        `${what}: ${sectionPlace(section)} at offset ${section.offset} overlaps ${
          sectionPlace(last)
        } (offset ${last.offset}, ${last.size} bytes)`,
      );
    }
    last = section;
  }
}

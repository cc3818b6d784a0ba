/**
 * Makes ELF64 files for tests: sections with any contents and any header fields, right or wrong.
 *
 * @module
 */
import type { ByteOrder } from "../../../lib/bytes.ts";

/** A section to make; fields left out are what a sound file has. */
export interface SectionPlan {
  name: string;
  type?: number;
  flags?: number;
  bytes?: Uint8Array;
  /** Overrides the offset that the bytes are put at. */
  offset?: number;
  /** Overrides the length of the bytes. */
  size?: number;
  link?: number;
  info?: number;
  entrySize?: number;
}

/** A file to make. Its sections get the indices 1, 2, ...; the name table comes last. */
export interface ElfPlan {
  order?: ByteOrder;
  type?: number;
  machine?: number;
  sections?: readonly SectionPlan[];
  /** Puts section count and index of the name table where files of more than 65279 sections have them. */
  extendedNumbering?: boolean;
  /** Overrides the index of the name table. */
  nameTable?: number;
}

const EHDR_BYTES = 64;
const SHDR_BYTES = 64;

/** The bytes of such a file. */
export function makeElf(plan: ElfPlan = {}): Uint8Array<ArrayBuffer> {
  const sections: SectionPlan[] = [...plan.sections ?? []];
  const names = stringTable([...sections.map(({ name }) => name), ".shstrtab"]);
  sections.push({ name: ".shstrtab", type: 3, bytes: names.bytes });
  const contents = sections.reduce((sum, { bytes }) => sum + align8(bytes?.length ?? 0), 0);
  const shoff = EHDR_BYTES + contents;
  const count = sections.length + 1;
  const file = new Uint8Array(shoff + count * SHDR_BYTES);
  const view = new DataView(file.buffer);
  const little = (plan.order ?? "little") === "little";
  const extended = plan.extendedNumbering ?? false;
  const nameTable = plan.nameTable ?? sections.length;
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, little ? 1 : 2, 1]);
  view.setUint16(16, plan.type ?? 1, little);
  view.setUint16(18, plan.machine ?? 247, little);
  view.setUint32(20, 1, little);
  view.setBigUint64(40, BigInt(shoff), little);
  view.setUint16(52, EHDR_BYTES, little);
  view.setUint16(58, SHDR_BYTES, little);
  view.setUint16(60, extended ? 0 : count, little);
  view.setUint16(62, extended ? 0xffff : nameTable, little);
  if (extended) {
    view.setBigUint64(shoff + 32, BigInt(count), little);
    view.setUint32(shoff + 40, nameTable, little);
  }
  let at = EHDR_BYTES;
  sections.forEach((section, i) => {
    const bytes = section.bytes ?? new Uint8Array(0);
    const header = shoff + (i + 1) * SHDR_BYTES;
    file.set(bytes, at);
    view.setUint32(header, names.offsetOf(section.name), little);
    view.setUint32(header + 4, section.type ?? 1, little);
    view.setBigUint64(header + 8, BigInt(section.flags ?? 0), little);
    view.setBigUint64(header + 24, BigInt(section.offset ?? at), little);
    view.setBigUint64(header + 32, BigInt(section.size ?? bytes.length), little);
    view.setUint32(header + 40, section.link ?? 0, little);
    view.setUint32(header + 44, section.info ?? 0, little);
    view.setBigUint64(header + 48, 8n, little);
    view.setBigUint64(header + 56, BigInt(section.entrySize ?? 0), little);
    at += align8(bytes.length);
  });
  return file;
}

function align8(size: number): number {
  return (size + 7) & ~7;
}

/** A string table that holds `strings`. */
export function stringTable(strings: readonly string[]): {
  bytes: Uint8Array;
  offsetOf: (text: string) => number;
} {
  const offsets = new Map<string, number>([["", 0]]);
  let text = "\0";
  for (const string of strings) {
    if (offsets.has(string)) continue;
    offsets.set(string, text.length);
    text += `${string}\0`;
  }
  return { bytes: new TextEncoder().encode(text), offsetOf: (string) => offsets.get(string)! };
}

/** A symbol to make. */
export interface SymbolPlan {
  /** Offset in the string table. */
  name?: number;
  info?: number;
  other?: number;
  shndx?: number;
  value?: number;
  size?: number;
}

/** The bytes of a symbol table. */
export function symbolTable(symbols: readonly SymbolPlan[], order: ByteOrder = "little"): Uint8Array {
  const bytes = new Uint8Array(symbols.length * 24);
  const view = new DataView(bytes.buffer);
  const little = order === "little";
  symbols.forEach((symbol, i) => {
    view.setUint32(i * 24, symbol.name ?? 0, little);
    view.setUint8(i * 24 + 4, symbol.info ?? 0);
    view.setUint8(i * 24 + 5, symbol.other ?? 0);
    view.setUint16(i * 24 + 6, symbol.shndx ?? 0, little);
    view.setBigUint64(i * 24 + 8, BigInt(symbol.value ?? 0), little);
    view.setBigUint64(i * 24 + 16, BigInt(symbol.size ?? 0), little);
  });
  return bytes;
}

/** A relocation to make. */
export interface RelocationPlan {
  offset: number;
  type?: number;
  symbol?: number;
  /** Makes the entry one of a RELA section. */
  addend?: bigint;
}

/** The bytes of a REL section, or of a RELA section if the entries have addends. */
export function relocationTable(entries: readonly RelocationPlan[], order: ByteOrder = "little"): Uint8Array {
  const entryBytes = entries.some(({ addend }) => addend !== undefined) ? 24 : 16;
  const bytes = new Uint8Array(entries.length * entryBytes);
  const view = new DataView(bytes.buffer);
  const little = order === "little";
  entries.forEach((entry, i) => {
    const at = i * entryBytes;
    view.setBigUint64(at, BigInt(entry.offset), little);
    view.setBigUint64(at + 8, BigInt(entry.symbol ?? 0) << 32n | BigInt(entry.type ?? 0), little);
    if (entry.addend !== undefined) view.setBigInt64(at + 16, entry.addend, little);
  });
  return bytes;
}

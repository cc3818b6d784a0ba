/** Small BPF objects made by hand, to say in a test what no compiler would emit. */
import { encode, type Instruction } from "../../../lib/asm/mod.ts";
import { EM, ET, RBPF, SHF, SHT, STB, STT } from "../../../lib/elf/mod.ts";

/** A section of the object. */
export interface TestSection {
  name: string;
  type?: number;
  flags?: number;
  bytes?: Uint8Array;
  /** For `SHT.NOBITS`. */
  size?: number;
}

/** A symbol of the object. */
export interface TestSymbol {
  name: string;
  type?: number;
  binding?: number;
  visibility?: number;
  /** Name of its section; undefined symbols have none. */
  section?: string;
  value?: number;
  size?: number;
}

/** A relocation of the object. */
export interface TestRelocation {
  section: string;
  offset: number;
  symbol: string;
  type?: number;
}

/** A section of instructions. */
export function code(name: string, insns: readonly Instruction[]): TestSection {
  return { name, flags: SHF.ALLOC | SHF.EXECINSTR, bytes: encode(insns, "little") };
}

/** The symbol of a function, in slots. */
export function func(
  name: string,
  section: string,
  slot: number,
  slots: number,
  binding: number = STB.GLOBAL,
): TestSymbol {
  return { name, type: STT.FUNC, binding, section, value: slot * 8, size: slots * 8 };
}

/** A little-endian object of the given parts; section symbols are named like their sections. */
export function buildObject(
  sections: readonly TestSection[],
  symbols: readonly TestSymbol[] = [],
  relocations: readonly TestRelocation[] = [],
): Uint8Array {
  const relocated = [...new Set(relocations.map(({ section }) => section))];
  const names = [...sections.map(({ name }) => name), ...relocated.map((name) => `.rel${name}`), ".symtab", ".strtab"];
  const indexOf = (name: string) => names.indexOf(name) + 1;
  const strings = new Strings();
  const symtab = new Uint8Array((symbols.length + 1) * 24);
  symbols.forEach((symbol, i) => {
    const view = new DataView(symtab.buffer, (i + 1) * 24, 24);
    view.setUint32(0, strings.add(symbol.type === STT.SECTION ? "" : symbol.name), true);
    view.setUint8(4, (symbol.binding ?? STB.GLOBAL) << 4 | (symbol.type ?? STT.NOTYPE));
    view.setUint8(5, symbol.visibility ?? 0);
    view.setUint16(6, symbol.section === undefined ? 0 : indexOf(symbol.section), true);
    view.setBigUint64(8, BigInt(symbol.value ?? 0), true);
    view.setBigUint64(16, BigInt(symbol.size ?? 0), true);
  });
  const relocationTables = relocated.map((section) => {
    const own = relocations.filter((relocation) => relocation.section === section);
    const table = new DataView(new ArrayBuffer(own.length * 16));
    own.forEach(({ offset, symbol, type }, i) => {
      const index = symbols.findIndex(({ name }) => name === symbol) + 1;
      table.setBigUint64(i * 16, BigInt(offset), true);
      table.setBigUint64(i * 16 + 8, BigInt(index) << 32n | BigInt(type ?? RBPF.R64_64), true);
    });
    return new Uint8Array(table.buffer);
  });
  const nameOffsets = names.map((name) => strings.add(name));
  const headers = [
    ...sections.map(({ type = SHT.PROGBITS, flags = SHF.ALLOC, bytes = new Uint8Array(0), size }) => ({
      type,
      flags,
      bytes,
      size: size ?? bytes.length,
      link: 0,
      info: 0,
      entrySize: 0,
    })),
    ...relocated.map((name, i) => ({
      type: SHT.REL,
      flags: 0,
      bytes: relocationTables[i]!,
      size: relocationTables[i]!.length,
      link: indexOf(".symtab"),
      info: indexOf(name),
      entrySize: 16,
    })),
    {
      type: SHT.SYMTAB,
      flags: 0,
      bytes: symtab,
      size: symtab.length,
      link: indexOf(".strtab"),
      info: 1,
      entrySize: 24,
    },
    {
      type: SHT.STRTAB,
      flags: 0,
      bytes: strings.bytes(),
      size: strings.bytes().length,
      link: 0,
      info: 0,
      entrySize: 0,
    },
  ];
  return layOut(headers, nameOffsets, indexOf(".strtab"));
}

interface Header {
  type: number;
  flags: number;
  bytes: Uint8Array;
  size: number;
  link: number;
  info: number;
  entrySize: number;
}

function layOut(headers: readonly Header[], nameOffsets: readonly number[], namesIndex: number): Uint8Array {
  const table = 64;
  let end = table + (headers.length + 1) * 64;
  const places = headers.map(({ bytes }) => {
    const place = end;
    end += (bytes.length + 7) & ~7;
    return place;
  });
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, ET.REL, true);
  view.setUint16(18, EM.BPF, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(40, BigInt(table), true);
  view.setUint16(52, 64, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, headers.length + 1, true);
  view.setUint16(62, namesIndex, true);
  headers.forEach((header, i) => {
    const at = table + (i + 1) * 64;
    view.setUint32(at, nameOffsets[i]!, true);
    view.setUint32(at + 4, header.type, true);
    view.setBigUint64(at + 8, BigInt(header.flags), true);
    view.setBigUint64(at + 24, BigInt(places[i]!), true);
    view.setBigUint64(at + 32, BigInt(header.size), true);
    view.setUint32(at + 40, header.link, true);
    view.setUint32(at + 44, header.info, true);
    view.setBigUint64(at + 48, 8n, true);
    view.setBigUint64(at + 56, BigInt(header.entrySize), true);
    file.set(header.bytes, places[i]!);
  });
  return file;
}

/** A string table. */
class Strings {
  #text = "\0";

  add(text: string): number {
    if (text === "") return 0;
    const offset = this.#text.length;
    this.#text += `${text}\0`;
    return offset;
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.#text);
  }
}

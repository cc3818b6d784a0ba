/**
 * `.BTF.ext` of many objects as one: what {@linkcode BtfMerger} does for types, for the infos that refer to them.
 *
 * @module
 */
import { ByteView, HOST_BYTE_ORDER } from "../../bytes.ts";
import { FormatError } from "../../errors.ts";
import { BtfFormat } from "../../uapi/mod.ts";
import type { Btf } from "../btf.ts";
import {
  CORE_RELO_RECORD,
  EXT_HEADER,
  EXT_SECTION,
  FUNC_INFO_RECORD,
  LINE_INFO_RECORD,
  MAX_RECORD_SIZE,
} from "../ext_info/wire.ts";
import { checkPreamble, detectOrder } from "../header.ts";
import { swapWords } from "../swap_words.ts";
import { BTF_HEADER } from "../wire.ts";
import type { BtfMerger, MergedBtf, MergerInput } from "./btf_merger.ts";

/** Where the instructions of a section of an input went. */
export interface SectionPlace {
  /** Name of the section in the result. */
  readonly section: string;
  /** What has to be added to an instruction's offset, in bytes: a multiple of 8. */
  readonly offset: number;
  /** Size of the section in the input, in bytes: an info behind it is refused. */
  readonly size?: number;
}

/** Options of {@linkcode ExtInfosMerger.append}. */
export interface ExtInfosMergerOptions {
  /** How errors call the bytes; by default `section ".BTF.ext"`. */
  what?: string;
}

/** What a word of a record is. */
type Field = "slot" | "type" | "string" | "plain";

/** One of the three parts of `.BTF.ext`: where the header tells of it, and the words of its records. */
interface Part {
  readonly title: string;
  readonly offAt: number;
  readonly lenAt: number;
  readonly fields: readonly Field[];
}

const PARTS: readonly Part[] = [
  {
    title: "func info",
    offAt: EXT_HEADER.funcInfoOff,
    lenAt: EXT_HEADER.funcInfoLen,
    fields: fieldsOf(FUNC_INFO_RECORD.size, { slot: [FUNC_INFO_RECORD.insnOff], type: [FUNC_INFO_RECORD.typeId] }),
  },
  {
    title: "line info",
    offAt: EXT_HEADER.lineInfoOff,
    lenAt: EXT_HEADER.lineInfoLen,
    fields: fieldsOf(LINE_INFO_RECORD.size, {
      slot: [LINE_INFO_RECORD.insnOff],
      string: [LINE_INFO_RECORD.fileNameOff, LINE_INFO_RECORD.lineOff],
    }),
  },
  {
    title: "CO-RE relocations",
    offAt: EXT_HEADER.coreReloOff,
    lenAt: EXT_HEADER.coreReloLen,
    fields: fieldsOf(CORE_RELO_RECORD.size, {
      slot: [CORE_RELO_RECORD.insnOff],
      type: [CORE_RELO_RECORD.typeId],
      string: [CORE_RELO_RECORD.accessStrOff],
    }),
  },
];

function fieldsOf(size: number, at: { readonly [F in Field]?: readonly number[] }): Field[] {
  const fields: Field[] = Array.from({ length: size / 4 }, () => "plain");
  for (const field of ["slot", "type", "string"] as const) {
    for (const offset of at[field] ?? []) fields[offset / 4] = field;
  }
  return fields;
}

/** The records of one part, by the section of the result: words whose ids and offsets are those of the merger. */
type PartRecords = Map<string, number[]>;

/** Collects the `.BTF.ext` of many objects whose `.BTF` a merger has taken, and makes one of them. */
export class ExtInfosMerger {
  readonly #merger: BtfMerger;
  readonly #parts: readonly PartRecords[] = PARTS.map(() => new Map());
  /** Merge offsets of the sections' names. */
  readonly #names = new Map<string, number>();

  /** Nothing merged yet. `merger`: takes the types and strings. */
  constructor(merger: BtfMerger) {
    this.#merger = merger;
  }

  /**
   * Adds the infos of an object. Records of one section follow each other in the order in which they are added: the
   * kernel and libbpf want ascending offsets, so objects have to be added in the order of their places.
   *
   * @param bytes The object's `.BTF.ext`. Fields that are newer than this library are left out.
   * @param btf Its `.BTF`.
   * @param input What the merger gave for it.
   * @param placeOf Where a section went; `undefined` leaves its infos out.
   * @throws {FormatError} if anything is malformed, or refers to a type or string that doesn't exist.
   */
  append(
    bytes: Uint8Array,
    btf: Btf,
    input: MergerInput,
    placeOf: (section: string) => SectionPlace | undefined,
    options: ExtInfosMergerOptions = {},
  ): void {
    const what = options.what ?? 'section ".BTF.ext"';
    const order = detectOrder(bytes, what);
    if (order !== btf.order) throw new FormatError(`${what}: is ${order}-endian but ${btf.what} is not`);
    const view = new ByteView(bytes, order, what);
    const headerLength = checkPreamble(view, EXT_HEADER.size);
    for (const [index, part] of PARTS.entries()) {
      if (part.lenAt + 4 > headerLength) continue;
      const start = headerLength + view.u32(part.offAt, `${part.title} offset`);
      const infos = view.sub(start, view.u32(part.lenAt, `${part.title} length`), `${what}, ${part.title}`);
      if (infos.length > 0) this.#appendPart(infos, part, this.#parts[index]!, btf, input, placeOf);
    }
  }

  /** The infos as one `.BTF.ext`, in the byte order of the merger. `merged`: what became of the types and strings. */
  encode(merged: MergedBtf): Uint8Array {
    const words: number[] = [];
    const lengths = PARTS.map(({ fields }, index) => {
      const records = this.#parts[index]!;
      if (records.size === 0) return 0;
      const start = words.length;
      words.push(fields.length * 4);
      for (const [section, values] of records) {
        words.push(merged.stringOf(this.#names.get(section)!), values.length / fields.length);
        // Plain loops: objects have thousands of records, and a process that links runs this once.
        for (let at = 0, i = 0; at < values.length; at++, i = i + 1 === fields.length ? 0 : i + 1) {
          const value = values[at]!;
          const field = fields[i];
          words.push(field === "string" ? merged.stringOf(value) : field === "type" ? merged.idOf(value) : value);
        }
      }
      return (words.length - start) * 4;
    });

    const bytes = new Uint8Array(EXT_HEADER.sizeWithCoreRelo + words.length * 4);
    const header = new DataView(bytes.buffer);
    const little = this.#merger.order === "little";
    header.setUint16(BTF_HEADER.magic, BtfFormat.BTF_MAGIC, little);
    header.setUint8(BTF_HEADER.version, BtfFormat.BTF_VERSION);
    header.setUint32(BTF_HEADER.hdrLen, EXT_HEADER.sizeWithCoreRelo, little);
    let offset = 0;
    for (const [index, { offAt, lenAt }] of PARTS.entries()) {
      header.setUint32(offAt, offset, little);
      header.setUint32(lenAt, lengths[index]!, little);
      offset += lengths[index]!;
    }
    const body = bytes.subarray(EXT_HEADER.sizeWithCoreRelo);
    body.set(new Uint8Array(Uint32Array.from(words).buffer));
    if (this.#merger.order !== HOST_BYTE_ORDER) swapWords(body);
    return bytes;
  }

  #appendPart(
    view: ByteView,
    { fields }: Part,
    into: PartRecords,
    btf: Btf,
    input: MergerInput,
    placeOf: (section: string) => SectionPlace | undefined,
  ): void {
    const size = view.u32(0, "record size");
    if (size < fields.length * 4 || size > MAX_RECORD_SIZE || size % 4 !== 0) {
      throw new FormatError(
        `${view.what}: record size ${size} is not a multiple of 4 from ${fields.length * 4} to ${MAX_RECORD_SIZE}`,
      );
    }
    for (let at = 4; at < view.length;) {
      const name = btf.string(view.u32(at + EXT_SECTION.nameOff, "section name"));
      const count = view.u32(at + EXT_SECTION.count, "record count");
      at += EXT_SECTION.size;
      view.check(at, count * size, `${count} records of section "${name}"`);
      const place = placeOf(name);
      if (place === undefined) {
        at += count * size;
        continue;
      }
      const records = this.#recordsOf(into, place.section);
      const { bytes } = view;
      const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const little = view.order === "little";
      for (const end = at + count * size; at < end; at += size) {
        for (let i = 0; i < fields.length; i++) {
          const value = words.getUint32(at + i * 4, little);
          const field = fields[i];
          if (field === "string") records.push(input.stringOffset(value));
          else if (field === "slot") records.push(checkOffset(value, place, name, view.what) + place.offset);
          else records.push(field === "type" ? input.typeId(value) : value);
        }
      }
    }
  }

  #recordsOf(part: PartRecords, section: string): number[] {
    let records = part.get(section);
    if (records === undefined) {
      records = [];
      part.set(section, records);
      if (!this.#names.has(section)) this.#names.set(section, this.#merger.addString(section));
    }
    return records;
  }
}

function checkOffset(offset: number, { size }: SectionPlace, section: string, what: string): number {
  if (size === undefined || offset < size) return offset;
  throw new FormatError(`${what}: offset ${offset} lies outside of section "${section}", which has ${size} bytes`);
}

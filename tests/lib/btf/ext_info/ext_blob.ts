/**
 * `.BTF.ext` written by hand, for tests.
 *
 * @module
 */
import type { ByteOrder } from "../../../../lib/bytes.ts";

/** Infos of one section: the offset of its name, and its records as words. */
export interface ExtSection {
  nameOff: number;
  records: number[][];
  /** What the section says it has, if not the truth. */
  count?: number;
}

/** One part: func infos, line infos, or CO-RE relocations. */
export interface ExtPart {
  recordSize?: number;
  sections: ExtSection[];
}

/** What a `.BTF.ext` is made of. */
export interface ExtFields {
  order?: ByteOrder;
  func?: ExtPart;
  line?: ExtPart;
  /** Left out, the header has 24 bytes and knows nothing of CO-RE. */
  core?: ExtPart;
  version?: number;
  hdrLen?: number;
}

function partWords(part: ExtPart | undefined, recordSize: number): number[] {
  if (part === undefined) return [];
  const size = part.recordSize ?? recordSize;
  const sections = part.sections.flatMap(({ nameOff, records, count }) => [
    nameOff,
    count ?? records.length,
    ...records.flatMap((record) => [...record, ...new Array<number>(Math.max(0, size / 4 - record.length)).fill(0)]),
  ]);
  return [size, ...sections];
}

/** The bytes of a `.BTF.ext`. */
export function extBytes(fields: ExtFields): Uint8Array {
  const little = (fields.order ?? "little") === "little";
  const func = partWords(fields.func, 8);
  const line = partWords(fields.line, 16);
  const core = partWords(fields.core, 16);
  const headerLength = fields.core === undefined ? 24 : 32;
  const header = [
    fields.hdrLen ?? headerLength,
    0,
    func.length * 4,
    func.length * 4,
    line.length * 4,
    ...(fields.core === undefined ? [] : [(func.length + line.length) * 4, core.length * 4]),
  ];
  const words = [...header, ...func, ...line, ...core];
  const bytes = new Uint8Array(4 + words.length * 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, little);
  view.setUint8(2, fields.version ?? 1);
  for (const [index, word] of words.entries()) view.setUint32(4 + index * 4, word, little);
  return bytes;
}

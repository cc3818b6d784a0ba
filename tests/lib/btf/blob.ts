/**
 * BTF written by hand, word by word, for tests: also such as no compiler would write.
 *
 * @module
 */
import type { ByteOrder } from "../../../lib/bytes.ts";
import { BtfKind } from "../../../lib/uapi/mod.ts";

/** The variable fields of `struct btf_type`. */
export interface RecordFields {
  vlen?: number;
  flag?: boolean;
  sizeOrType?: number;
}

/** What a blob's header says, where it isn't the truth. */
export interface HeaderFields {
  magic?: number;
  version?: number;
  flags?: number;
  hdrLen?: number;
  typeOff?: number;
  typeLen?: number;
  strOff?: number;
  strLen?: number;
  /** Bytes of a layout section, which makes the header 32 bytes long. */
  layout?: number[];
  /** Bytes behind the header's known fields. */
  padding?: number;
}

/** A BTF that is being written. */
export class Blob {
  readonly order: ByteOrder;
  readonly words: number[] = [];
  readonly #stringStart: number;
  readonly #firstId: number;
  #strings: number[];
  #count = 0;

  /** `base`: whose ids and strings continue here, for a split BTF. */
  constructor({ order = "little", base }: { order?: ByteOrder; base?: Blob } = {}) {
    this.order = order;
    this.#stringStart = base?.stringEnd ?? 0;
    this.#firstId = base?.nextId ?? 1;
    this.#strings = base === undefined ? [0] : [];
  }

  get stringEnd(): number {
    return this.#stringStart + this.#strings.length;
  }

  get nextId(): number {
    return this.#firstId + this.#count;
  }

  /** Appends a string and gives its offset. */
  string(text: string): number {
    if (text === "") return 0;
    const offset = this.stringEnd;
    this.#strings.push(...new TextEncoder().encode(text), 0);
    return offset;
  }

  /** Appends a type and gives its id. */
  type(name: string | number, kind: number, fields: RecordFields = {}, ...trailer: number[]): number {
    const { vlen = 0, flag = false, sizeOrType = 0 } = fields;
    const nameOff = typeof name === "number" ? name : this.string(name);
    this.words.push(nameOff, ((flag ? 1 << 31 : 0) | kind << 24 | vlen) >>> 0, sizeOrType, ...trailer);
    return this.#firstId + this.#count++;
  }

  /** Appends an int that fills its bytes. */
  int(name: string, size = 4, encoding = 0): number {
    return this.type(name, BtfKind.Int, { sizeOrType: size }, encoding << 24 | size * 8);
  }

  /** Appends a struct of `[name, type id, bit offset]`. */
  struct(name: string, size: number, ...members: [string, number, number][]): number {
    const words = members.flatMap(([member, type, bit]) => [this.string(member), type, bit]);
    return this.type(name, BtfKind.Struct, { vlen: members.length, sizeOrType: size }, ...words);
  }

  /** The blob, with a header that says what is asked for. */
  bytes(header: HeaderFields = {}): Uint8Array {
    const typeBytes = this.words.length * 4;
    const layout = header.layout ?? [];
    const headerLength = (layout.length > 0 ? 32 : 24) + (header.padding ?? 0);
    const bytes = new Uint8Array(headerLength + typeBytes + layout.length + this.#strings.length);
    const view = new DataView(bytes.buffer);
    const little = this.order === "little";
    view.setUint16(0, header.magic ?? 0xeb9f, little);
    view.setUint8(2, header.version ?? 1);
    view.setUint8(3, header.flags ?? 0);
    const fields = [
      header.hdrLen ?? headerLength,
      header.typeOff ?? 0,
      header.typeLen ?? typeBytes,
      header.strOff ?? typeBytes + layout.length,
      header.strLen ?? this.#strings.length,
      ...(layout.length > 0 ? [typeBytes, layout.length] : []),
    ];
    for (const [index, field] of fields.entries()) view.setUint32(4 + index * 4, field, little);
    for (const [index, word] of this.words.entries()) view.setUint32(headerLength + index * 4, word, little);
    bytes.set(layout, headerLength + typeBytes);
    bytes.set(this.#strings, headerLength + typeBytes + layout.length);
    return bytes;
  }
}

/** One type of each kind; ids are those of the kinds. */
export function everyKind(order: ByteOrder = "little"): Blob {
  const blob = new Blob({ order });
  blob.int("int", 4, 1); // 1
  blob.type("", BtfKind.Ptr, { sizeOrType: 4 });
  blob.type("", BtfKind.Array, {}, 1, 1, 16);
  blob.type("node", BtfKind.Struct, { vlen: 2, sizeOrType: 16 }, blob.string("next"), 2, 0, blob.string("id"), 1, 64);
  blob.type("either", BtfKind.Union, { vlen: 1, sizeOrType: 4 }, blob.string("a"), 1, 0);
  blob.type(
    "color",
    BtfKind.Enum,
    { vlen: 2, sizeOrType: 4, flag: true },
    blob.string("RED"),
    1,
    blob.string("N"),
    0xffffffff,
  );
  blob.type("later", BtfKind.Fwd, { flag: true });
  blob.type("u", BtfKind.Typedef, { sizeOrType: 1 });
  blob.type("", BtfKind.Volatile, { sizeOrType: 8 });
  blob.type("", BtfKind.Const, { sizeOrType: 9 });
  blob.type("", BtfKind.Restrict, { sizeOrType: 2 });
  blob.type("run", BtfKind.Func, { vlen: 1, sizeOrType: 13 });
  blob.type("", BtfKind.FuncProto, { vlen: 2, sizeOrType: 1 }, blob.string("x"), 2, 0, 0);
  blob.type("counter", BtfKind.Var, { sizeOrType: 1 }, 2);
  blob.type(".data", BtfKind.Datasec, { vlen: 1, sizeOrType: 8 }, 14, 4, 4);
  blob.type("double", BtfKind.Float, { sizeOrType: 8 });
  blob.type("a word", BtfKind.DeclTag, { sizeOrType: 4 }, 0xffffffff);
  blob.type("user", BtfKind.TypeTag, { sizeOrType: 1, flag: true });
  blob.type("wide", BtfKind.Enum64, { vlen: 1, sizeOrType: 8, flag: true }, blob.string("MIN"), 1, 0x80000000);
  return blob;
}

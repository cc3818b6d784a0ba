/**
 * BTF for kernels that are older than the compiler: kinds that they would refuse are replaced by older ones of the same
 * size. What the verifier needs (sizes, offsets, names of functions) stays; ids stay.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import { readSections } from "../header.ts";
import { StringTable } from "../string_table.ts";
import { TypeTable } from "../type_table.ts";
import { BTF_TYPE, infoKind, infoVlen } from "../wire.ts";
import { encodeBlob } from "./encode_blob.ts";

/** What kernels learned about BTF after 4.18, and the version that knows each. */
export const BTF_FEATURES = {
  /** Functions. */
  func: "5.0",
  /** Variables and sections. */
  datasec: "5.2",
  /** Functions that are not static. */
  globalFunc: "5.6",
  /** Floating point numbers. */
  float: "5.13",
  /** Tags of declarations. */
  declTag: "5.16",
  /** Tags of types. */
  typeTag: "5.17",
  /** Enums of 64-bit values, and the sign of 32-bit ones. */
  enum64: "6.0",
  /** Sections whose names have a `?`. */
  optionalSection: "6.10",
} as const;

/** Something that a kernel's BTF may lack. */
export type BtfFeature = keyof typeof BTF_FEATURES;

/** BTF that is being changed: records keep their places. */
interface Draft {
  readonly words: Uint32Array;
  /** Offset of a string, which is added if it is new. */
  string(text: string): number;
  /** The string at an offset. */
  text(offset: number): string;
  /** Word offset of a type by id. */
  at(id: number): number;
  /** Id of an int of one byte, which is added. */
  byte(): number;
}

/** `btf_type.info` without a kind flag. */
function info(kind: BtfKind, vlen = 0): number {
  return kind << 24 | vlen;
}

const { nameOff: NAME, info: INFO, sizeOrType: SIZE, words: TRAILER } = BTF_TYPE;

/** A 1-byte int in the place of a record with one word behind it. */
function toByte(words: Uint32Array, at: number): void {
  words[at + INFO] = info(BtfKind.Int);
  words[at + SIZE] = 1;
  words[at + TRAILER] = 8;
}

/**
 * What is done, where a kernel lacks a feature, with the record at `at` of this kind and length. Later ones see what earlier
 * ones left. All are libbpf's choices, too.
 */
const DOWNGRADES: { readonly [F in BtfFeature]: (draft: Draft, at: number, kind: number, vlen: number) => void } = {
  func({ words }, at, kind, vlen) {
    if (kind === BtfKind.Func) words[at + INFO] = info(BtfKind.Typedef);
    if (kind !== BtfKind.FuncProto) return;
    // A parameter (name, type) lies in the place of a value (name, number).
    words[at + INFO] = info(BtfKind.Enum, vlen);
    words[at + SIZE] = 4;
  },
  datasec({ words, string, text, at: find }, at, kind, vlen) {
    if (kind === BtfKind.Var) toByte(words, at);
    if (kind !== BtfKind.Datasec) return;
    words[at + NAME] = string(text(words[at + NAME]!).replace(/[^A-Za-z0-9_]/g, "_"));
    words[at + INFO] = info(BtfKind.Struct, vlen);
    for (let entry = at + TRAILER; entry < at + TRAILER + vlen * 3; entry += 3) {
      // An entry (variable, offset, size) becomes a member (name, type, offset in bits).
      const [variable, offset] = [words[entry]!, words[entry + 1]!];
      words[entry] = words[find(variable) + NAME]!;
      words[entry + 1] = variable;
      words[entry + 2] = offset * 8;
    }
  },
  globalFunc({ words }, at, kind) {
    if (kind === BtfKind.Func) words[at + INFO] = info(BtfKind.Func);
  },
  float({ words }, at, kind) {
    if (kind !== BtfKind.Float) return;
    // Nameless, because no struct can be called "double".
    words[at + NAME] = 0;
    words[at + INFO] = info(BtfKind.Struct);
  },
  declTag({ words }, at, kind) {
    if (kind === BtfKind.DeclTag) toByte(words, at);
  },
  typeTag({ words }, at, kind) {
    if (kind !== BtfKind.TypeTag) return;
    words[at + NAME] = 0;
    words[at + INFO] = info(BtfKind.Const);
  },
  enum64({ words, byte }, at, kind, vlen) {
    if (kind === BtfKind.Enum) words[at + INFO] = info(BtfKind.Enum, vlen);
    if (kind !== BtfKind.Enum64) return;
    words[at + INFO] = info(BtfKind.Union, vlen);
    for (let value = at + TRAILER; value < at + TRAILER + vlen * 3; value += 3) {
      // A value (name, low half, high half) becomes a member (name, type, offset); of a type that fits any size.
      words[value + 1] = byte();
      words[value + 2] = 0;
    }
  },
  optionalSection({ words, string, text }, at, kind) {
    if (kind !== BtfKind.Datasec) return;
    const name = text(words[at + NAME]!);
    if (name.includes("?")) words[at + NAME] = string(name.replaceAll("?", "_"));
  },
};

/**
 * A BTF with the same ids and nothing that the kernel lacks: a float becomes an empty nameless struct, a tag of a
 * declaration or a variable an int, a tag of a type `const`, a 64-bit enum a union that has the names of its values, a section
 * a struct, a function a typedef and its prototype an enum. A layout section is left out.
 *
 * @param bytes A BTF that stands alone, such as a `BtfBuilder` makes.
 * @param missing What the kernel lacks.
 * @throws {FormatError} if the BTF is malformed.
 */
export function sanitizeBtf(bytes: Uint8Array, missing: ReadonlySet<BtfFeature>): Uint8Array {
  const what = "BTF to load";
  const { order, words: original, strings, recordSizes } = readSections(bytes, what, false);
  const stringTable = new StringTable(strings, undefined, what);
  const table = new TypeTable({ words: original, recordSizes, strings: stringTable, firstId: 1, what });
  const count = table.walkAll();
  const words = original.slice();
  const added = new Map<string, number>();
  let stringEnd = strings.length;
  let usesByte = false;
  const draft: Draft = {
    words,
    text: (offset) => stringTable.get(offset),
    at: (id) => table.at(id - 1),
    string(text) {
      const known = added.get(text);
      if (known !== undefined) return known;
      const offset = stringEnd;
      added.set(text, offset);
      stringEnd += new TextEncoder().encode(text).length + 1;
      return offset;
    },
    byte() {
      usesByte = true;
      return count + 1;
    },
  };
  const features = (Object.keys(BTF_FEATURES) as BtfFeature[]).filter((feature) => missing.has(feature));
  for (const at of table.offsets.subarray(0, count)) {
    for (const feature of features) {
      const word = words[at + INFO]!;
      DOWNGRADES[feature](draft, at, infoKind(word), infoVlen(word));
    }
  }
  const byte = usesByte ? [draft.string("enum64_placeholder"), info(BtfKind.Int), 1, 8] : [];
  const more = [...added.keys()].map((text) => new TextEncoder().encode(`${text}\0`));
  return encodeBlob(Uint32Array.from([...words, ...byte]), concat([strings, ...more]), order);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

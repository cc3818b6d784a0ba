/**
 * The types of several BTFs in one sequence of words, with one set of strings and one space of ids.
 *
 * @module
 */
import { FormatError, UnsupportedError } from "../../errors.ts";
import { BtfKind, BtfMax } from "../../uapi/mod.ts";
import { type Btf, partsOf } from "../btf.ts";
import { ABSENT, ELEMENTS, HEADER_REFERS } from "../record_shape.ts";
import type { StringTable } from "../string_table.ts";
import { BTF_TYPE, infoKind, LAST_KIND } from "../wire.ts";
import { StringSet } from "./string_set.ts";

/** What is done with types of a kind when duplicates are looked for. */
export const KindClass = {
  /** Ints, floats, enums: they refer to no type. */
  Number: 0,
  /** Structs and unions. */
  Composite: 1,
  /** Forward declarations of them. */
  Declaration: 2,
  /** What refers to types otherwise, and may be part of them. */
  Reference: 3,
  /** Variables and sections: never the same as others. */
  Unique: 4,
} as const;
/** One of the classes. */
export type KindClass = typeof KindClass[keyof typeof KindClass];

const CLASSES = 5;

/** `struct btf_type`: what every type has. */
const MIN_TYPE_BYTES = BTF_TYPE.words * 4;

/** The class of each kind. */
const KIND_CLASS = new Uint8Array(BtfMax.BTF_MAX_KIND + 1).fill(KindClass.Reference);
KIND_CLASS[BtfKind.Int] = KindClass.Number;
KIND_CLASS[BtfKind.Float] = KindClass.Number;
KIND_CLASS[BtfKind.Enum] = KindClass.Number;
KIND_CLASS[BtfKind.Enum64] = KindClass.Number;
KIND_CLASS[BtfKind.Struct] = KindClass.Composite;
KIND_CLASS[BtfKind.Union] = KindClass.Composite;
KIND_CLASS[BtfKind.Fwd] = KindClass.Declaration;
KIND_CLASS[BtfKind.Var] = KindClass.Unique;
KIND_CLASS[BtfKind.Datasec] = KindClass.Unique;

/** Where the types and strings of one BTF went. */
export interface StoredBtf {
  /** The BTF. */
  readonly btf: Btf;
  /** What has to be added to the id of one of its own types. */
  readonly idShift: number;
  /** The same of its base. */
  readonly base: StoredBtf | undefined;
  /** Its own strings. */
  readonly table: StringTable;
  /** Offset here by offset in its own strings, for those at which a string starts. */
  readonly strings: Uint32Array;
}

/** Types with the ids from 1 on; 0 is `void`. */
export class TypeStore {
  readonly strings: StringSet = new StringSet();
  words: Uint32Array;
  /** Word offset of each type by id; the entry of `void` means nothing. */
  offsets: Uint32Array;
  /** Number of words in use. */
  length = 0;
  /** Number of ids, that of `void` included. */
  count = 1;
  /** Ids by the class of their kind, ascending; see {@linkcode KIND_CLASS}. */
  readonly #lists: Uint32Array[];
  readonly #listLengths = new Uint32Array(CLASSES);

  /** Nothing in it. `size`: bytes of what will be appended, if that is known; pages that nobody touches cost nothing. */
  constructor(size = 1 << 18) {
    this.words = new Uint32Array(Math.ceil(size / 4));
    this.offsets = new Uint32Array(Math.ceil(size / MIN_TYPE_BYTES));
    this.#lists = Array.from({ length: CLASSES }, () => new Uint32Array(this.offsets.length));
  }

  /** The kind of a type. */
  kindOf(id: number): number {
    return id === 0 ? BtfKind.Unknown : infoKind(this.words[this.offsets[id]! + BTF_TYPE.info]!);
  }

  /** Ids of all types whose kind is of a class, ascending. */
  idsOf(kindClass: KindClass): Uint32Array {
    return this.#lists[kindClass]!.subarray(0, this.#listLengths[kindClass]);
  }

  /**
   * Appends all own types of a BTF in their order.
   *
   * @param base Where the types of the BTF's base went.
   * @throws {FormatError} if a type is malformed, or refers to a type or string that does not exist.
   * @throws {UnsupportedError} for a kind that only the BTF's own layout section knows: where its references are is unknown.
   */
  append(btf: Btf, base: StoredBtf | undefined): StoredBtf {
    const { types, strings: table } = partsOf(btf);
    const ownCount = types.walkAll();
    const strings = new Uint32Array(table.bytes.length);
    this.strings.addSection(table.bytes, strings);
    const stored: StoredBtf = { btf, idShift: this.count - btf.ownStartId, base, table, strings };

    const { length, count } = this;
    const listLengths = this.#listLengths.slice();
    this.#reserve(types.words.length, ownCount);
    this.words.set(types.words, length);
    this.offsets.set(types.offsets.subarray(0, ownCount), count);
    this.length += types.words.length;
    this.count += ownCount;
    try {
      this.#translate(stored, count, length);
    } catch (error) {
      // Half of it would be a corrupt store.
      this.length = length;
      this.count = count;
      this.#listLengths.set(listLengths);
      throw error;
    }
    return stored;
  }

  /** Appends one type; its ids and string offsets are those of this store. */
  appendRecord(record: readonly number[]): number {
    this.#reserve(record.length, 1);
    this.words.set(record, this.length);
    this.offsets[this.count] = this.length;
    this.length += record.length;
    const kindClass = KIND_CLASS[infoKind(record[BTF_TYPE.info]!)]!;
    this.#lists[kindClass]![this.#listLengths[kindClass]!++] = this.count;
    return this.count++;
  }

  /**
   * The offset here of a string of a stored BTF.
   *
   * @throws {FormatError} if the offset is outside.
   */
  stringOffset(stored: StoredBtf, offset: number): number {
    if (offset === 0) return 0;
    const { table } = stored;
    if (offset < table.start && stored.base !== undefined) return this.stringOffset(stored.base, offset);
    const at = offset - table.start;
    if (at >= table.bytes.length) {
      throw new FormatError(
        `${stored.btf.what}: string offset ${offset} lies outside its ${table.end} bytes of strings`,
      );
    }
    const known = stored.strings[at]!;
    if (known !== 0) {
      this.strings.used[known] = 1;
      return known;
    }
    // The end of a longer string, or an empty one.
    this.strings.addSection(table.bytes.subarray(at, table.bytes.indexOf(0, at) + 1), stored.strings.subarray(at));
    this.strings.used[stored.strings[at]!] = 1;
    return stored.strings[at]!;
  }

  /**
   * Makes string offsets and type ids of the types from `firstId` on those of the store, and word offsets too, of which
   * `shift` types' words come before. One plain loop, for the reason that `StringSet.addSection()` gives.
   */
  #translate(stored: StoredBtf, firstId: number, shift: number): void {
    const { words, offsets, count } = this;
    const { idShift, strings, table: { start } } = stored;
    const lists = this.#lists;
    const listLengths = this.#listLengths;
    let { used } = this.strings;
    const { stride: strides, name: names, type: types } = ELEMENTS;
    const ownStart = firstId - idShift;
    const ownEnd = count - idShift;
    for (let id = firstId; id < count; id++) {
      const at = offsets[id]! + shift;
      offsets[id] = at;
      const info = words[at + 1]!;
      const kind = (info >>> 24) & 0x7f;
      if (kind > LAST_KIND) throw unknownKind(stored.btf, id - idShift, kind);
      const kindClass = KIND_CLASS[kind]!;
      lists[kindClass]![listLengths[kindClass]!++] = id;
      const name = words[at]!;
      if (name !== 0) {
        let known = name >= start ? strings[name - start]! : 0;
        // Not a number, where the offset is outside.
        if (!(known > 0)) {
          known = this.stringOffset(stored, name);
          used = this.strings.used;
        }
        words[at] = known;
        used[known] = 1;
      }
      if (HEADER_REFERS[kind] === 1) {
        const target = words[at + 2]!;
        if (target >= ownStart && target < ownEnd) words[at + 2] = target + idShift;
        else if (target !== 0) words[at + 2] = referToBase(stored, target, id - idShift);
      }
      const stride = strides[kind]!;
      if (stride === 0) continue;
      const nameAt = names[kind]!;
      const typeAt = types[kind]!;
      const end = at + 3 + stride * (kind === BtfKind.Array ? 2 : info & 0xffffff);
      for (let element = at + 3; element < end; element += stride) {
        if (nameAt !== ABSENT) {
          const member = words[element + nameAt]!;
          if (member !== 0) {
            let known = member >= start ? strings[member - start]! : 0;
            if (!(known > 0)) {
              known = this.stringOffset(stored, member);
              used = this.strings.used;
            }
            words[element + nameAt] = known;
            used[known] = 1;
          }
        }
        if (typeAt !== ABSENT) {
          const target = words[element + typeAt]!;
          if (target >= ownStart && target < ownEnd) words[element + typeAt] = target + idShift;
          else if (target !== 0) words[element + typeAt] = referToBase(stored, target, id - idShift);
        }
      }
    }
  }

  #reserve(words: number, types: number): void {
    if (this.length + words > this.words.length) {
      const larger = new Uint32Array(Math.max(this.words.length * 2, this.length + words));
      larger.set(this.words.subarray(0, this.length));
      this.words = larger;
    }
    if (this.count + types > this.offsets.length) {
      const larger = new Uint32Array(Math.max(this.offsets.length * 2, this.count + types));
      larger.set(this.offsets.subarray(0, this.count));
      this.offsets = larger;
      for (const [kindClass, list] of this.#lists.entries()) {
        this.#lists[kindClass] = new Uint32Array(larger.length);
        this.#lists[kindClass]!.set(list);
      }
    }
  }
}

/** The id in the store of a type of a stored BTF; `void` stays 0. */
export function storedId(stored: StoredBtf, id: number): number {
  if (id === 0) return 0;
  if (id < stored.btf.ownStartId && stored.base !== undefined) return storedId(stored.base, id);
  return id + stored.idShift;
}

function referToBase(stored: StoredBtf, target: number, id: number): number {
  if (target < stored.btf.ownStartId) return storedId(stored, target);
  throw new FormatError(`${stored.btf.what}: type id ${id} refers to type id ${target}, which does not exist`);
}

function unknownKind(btf: Btf, id: number, kind: number): UnsupportedError {
  return new UnsupportedError(
    `BTF kind ${kind}`,
    `${btf.what}: type id ${id} has kind ${kind}, which is newer than this library: it can't be merged with others`,
  );
}

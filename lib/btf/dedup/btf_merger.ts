/**
 * Making one BTF of many, each type once.
 *
 * @module
 */
import { type ByteOrder, HOST_BYTE_ORDER } from "../../bytes.ts";
import { FormatError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";
import type { Btf } from "../btf.ts";
import { encodeBlob } from "../builder/encode_blob.ts";
import { compact } from "./compact.ts";
import { findDuplicates } from "./find_duplicates.ts";
import { type StoredBtf, storedId, TypeStore } from "./type_store.ts";

/** Options of {@linkcode BtfMerger}. */
export interface BtfMergerOptions {
  /** Order of multi-byte values of the result; by default this machine's. The inputs' may differ. */
  order?: ByteOrder;
  /** Size in bytes of all that will be merged, if it is known: then nothing has to grow. */
  size?: number;
}

/** Where the types and strings of an input went. */
export interface MergerInput {
  /**
   * The merge id of a type of the input: a number for {@linkcode MergedBtf.idOf}, and for the methods of the merger.
   *
   * @throws {FormatError} if there is no such type.
   */
  typeId(id: number): number;
  /**
   * The merge offset of a string of the input, for {@linkcode MergedBtf.stringOf}; the string becomes one of the result,
   * even if no type uses it.
   *
   * @throws {FormatError} if the offset is outside.
   */
  stringOffset(offset: number): number;
}

/** A variable in a section that {@linkcode BtfMerger.addDatasec} adds. */
export interface MergerDatasecEntry {
  /** Merge id of the variable or function. */
  readonly type: number;
  /** Offset in bytes from the section's start. */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: number;
}

/** Many BTFs as one. */
export interface MergedBtf {
  /** The BTF as bytes. */
  readonly bytes: Uint8Array;
  /** Number of ids, that of `void` included. */
  readonly typeCount: number;
  /**
   * The id in the result of a merge id; 0 for what was dropped.
   *
   * @throws {FormatError} if there is no such merge id.
   */
  idOf(mergeId: number): number;
  /** The offset in the result of a string by its merge offset. */
  stringOf(mergeOffset: number): number;
}

/**
 * Collects the types of many BTFs and makes one of them in which each type is there once.
 *
 * Two types are the same if nothing that can be reached from them differs. A forward declaration becomes the struct or union
 * that stands in its place in an otherwise equal type, or the only one of its name; an enum without values the
 * first enum of its name. Variables and sections are never the same as others, unless {@linkcode BtfMerger.alias} says so.
 */
export class BtfMerger {
  /** Order of multi-byte values of the result. */
  readonly order: ByteOrder;
  readonly #store: TypeStore;
  readonly #inputs = new Map<Btf, StoredBtf>();
  readonly #aliases = new Map<number, number>();
  readonly #dropped = new Set<number>();

  /** Nothing merged yet. */
  constructor(options: BtfMergerOptions = {}) {
    this.order = options.order ?? HOST_BYTE_ORDER;
    this.#store = new TypeStore(options.size);
  }

  /** Number of types so far, that of `void` included, before duplicates are removed. */
  get typeCount(): number {
    return this.#store.count;
  }

  /**
   * Adds all types of a BTF, and of its base if that is not there yet. Adding the same BTF again changes nothing.
   *
   * @throws {FormatError} if a type is malformed, or refers to a type or string that does not exist.
   * @throws {UnsupportedError} if a type is of a kind that this library does not know.
   */
  append(btf: Btf): MergerInput {
    const stored = this.#stored(btf);
    const { typeCount } = btf;
    return {
      typeId: (id) => {
        if (id !== 0 && !(Number.isInteger(id) && id > 0 && id < typeCount)) {
          throw new FormatError(`${btf.what}: type id ${id} does not exist: ids end at ${typeCount - 1}`);
        }
        return storedId(stored, id);
      },
      stringOffset: (offset) => this.#store.stringOffset(stored, offset),
    };
  }

  /**
   * Adds a string and gives its merge offset, for {@linkcode MergedBtf.stringOf}.
   *
   * @throws {FormatError} if it has a NUL inside.
   */
  addString(text: string): number {
    if (text.includes("\0")) throw new FormatError(`BTF string ${JSON.stringify(text)} has a NUL inside`);
    return this.#store.strings.addText(text);
  }

  /** Adds a section and gives its merge id. Entries are written in the order given: the kernel wants ascending offsets. */
  addDatasec(name: string, size: number, entries: readonly MergerDatasecEntry[]): number {
    const words = entries.flatMap(({ type, offset, size }) => [this.#check(type), offset, size]);
    const info = (BtfKind.Datasec << 24 | entries.length) >>> 0;
    return this.#store.appendRecord([this.addString(name), info, size, ...words]);
  }

  /**
   * Makes `id` another name of `target`: it leaves the result, and what refers to it refers to `target`. A linker does
   * that to the extern declaration of a variable or function that another file defines.
   *
   * @throws {FormatError} if one of the merge ids does not exist.
   */
  alias(id: number, target: number): void {
    this.#aliases.set(this.#check(id), this.#check(target));
  }

  /**
   * Leaves a variable or section out of the result, with the tags of its declaration.
   *
   * @throws {FormatError} if it is neither.
   */
  drop(id: number): void {
    const kind = this.#store.kindOf(this.#check(id));
    if (kind !== BtfKind.Var && kind !== BtfKind.Datasec) {
      throw new FormatError(`merge id ${id} is of kind ${kind}: only variables and sections can be dropped`);
    }
    this.#dropped.add(id);
  }

  /**
   * Removes duplicates and encodes what is left, in the order in which it was added.
   *
   * @throws {FormatError} if something that is left refers to something dropped.
   */
  finish(): MergedBtf {
    const classes = findDuplicates(this.#store, this.#aliases);
    const { words, strings, stringOffsets, ids, typeCount } = compact(this.#store, classes, this.#dropped);
    return {
      bytes: encodeBlob(words, strings, this.order),
      typeCount,
      idOf: (mergeId) => ids[classes.find(this.#check(mergeId))]!,
      stringOf: (mergeOffset) => stringOffsets[mergeOffset] ?? 0,
    };
  }

  #stored(btf: Btf): StoredBtf {
    let stored = this.#inputs.get(btf);
    if (stored === undefined) {
      const base = btf.base === undefined ? undefined : this.#stored(btf.base);
      stored = this.#store.append(btf, base);
      this.#inputs.set(btf, stored);
    }
    return stored;
  }

  #check(id: number): number {
    if (!(Number.isInteger(id) && id >= 0 && id < this.#store.count)) {
      throw new FormatError(`merge id ${id} does not exist: they end at ${this.#store.count - 1}`);
    }
    return id;
  }
}

/** A BTF without duplicates. */
export interface DedupedBtf {
  /** The BTF as bytes, in the byte order of the one that it was made of. */
  readonly bytes: Uint8Array;
  /** New id by old id. */
  readonly ids: Uint32Array;
}

/**
 * A BTF in which each type is there once, see {@linkcode BtfMerger}. The types of a base become its own.
 *
 * @throws {FormatError} if a type is malformed.
 * @throws {UnsupportedError} if a type is of a kind that this library does not know.
 */
export function dedupBtf(btf: Btf): DedupedBtf {
  const merger = new BtfMerger({ order: btf.order });
  const input = merger.append(btf);
  const merged = merger.finish();
  const ids = Uint32Array.from({ length: btf.typeCount }, (_, id) => merged.idOf(input.typeId(id)));
  return { bytes: merged.bytes, ids };
}

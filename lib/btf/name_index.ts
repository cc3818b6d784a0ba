/**
 * Finding types by name, compared as bytes: decoding a hundred thousand names to strings would cost more than all else.
 *
 * Measured over the 126,000 types of a 6.18 kernel: a scan takes 0.3 ms, building the index a few scans, then a look-up a
 * microsecond. So the first look-ups scan (and walk the types only as far as they must), and the index is built once they
 * add up. Of the kernel's names four fifths are functions', which few ask for: they have an index of their own.
 *
 * @module
 */
import { BtfKind } from "../uapi/mod.ts";
import { isEssentially } from "./essential_name.ts";
import { equalsAt, nameBytes, type StringTable } from "./string_table.ts";
import { ANY_KIND, type TypeTable } from "./type_table.ts";
import { BTF_TYPE, infoKind } from "./wire.ts";

/** Scans over the whole BTF whose work pays for an index. */
const SCANS_BEFORE_INDEX = 8;

/** Types below which nothing is gained by an index. */
const FEW_TYPES = 512;

/** Bytes of a name that are hashed. */
const HASHED_BYTES = 16;

const UNDERSCORE = 0x5f;

/**
 * A hash of what a name and its flavours have in common: all before the first two underscores in a row (an essential name
 * does not end in one, so it has the same two or ends before).
 */
function hashName(bytes: Uint8Array, start: number): number {
  let hash = bytes[start]!;
  const end = start + HASHED_BYTES;
  for (let at = start + 1; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === 0 || (byte === UNDERSCORE && bytes[at + 1] === UNDERSCORE)) break;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  return hash ^ (hash >>> 15);
}

/** Types chained by the hash of their names, each chain descending; a link is an index plus 1, 0 ends a chain. */
interface Chains {
  readonly head: Uint32Array;
  readonly next: Uint32Array;
}

/** Names of the types of one BTF (not of its base). Results are indices, see {@linkcode TypeTable}. */
export class NameIndex {
  readonly #types: TypeTable;
  readonly #strings: StringTable;
  /** Types that scans have looked at. */
  #scanned = 0;
  #ofFunctions: Chains | undefined;
  #ofOthers: Chains | undefined;

  /** Looks at nothing yet. */
  constructor(types: TypeTable, strings: StringTable) {
    this.#types = types;
    this.#strings = strings;
  }

  /**
   * Index of the first type called `name` (and of kind `kind`), or -1.
   *
   * @throws {FormatError} if a broken type comes before any that matches.
   */
  first(name: string, kind: number = ANY_KIND): number {
    const wanted = nameBytes(name);
    if (wanted === undefined) return -1;
    const found = this.#isIndexed(kind) ? this.#lookUp(wanted, [kind], equalsAt)[0] ?? -1 : this.#scan(0, wanted, kind);
    if (found < 0) this.#types.check();
    return found;
  }

  /**
   * Indices of all types called `name` (and of kind `kind`), ascending.
   *
   * @throws {FormatError} if any type is broken.
   */
  all(name: string, kind: number = ANY_KIND): number[] {
    const wanted = nameBytes(name);
    if (wanted === undefined) return [];
    let found: number[] = [];
    if (this.#isIndexed(kind)) {
      found = this.#lookUp(wanted, [kind], equalsAt);
    } else {
      for (let index = this.#scan(0, wanted, kind); index >= 0; index = this.#scan(index + 1, wanted, kind)) {
        found.push(index);
      }
    }
    this.#types.check();
    return found;
  }

  /**
   * Indices of all types whose essential name is `name` (and of one of `kinds`, unless there are none), ascending.
   *
   * @throws {FormatError} if any type is broken.
   */
  essential(name: string, kinds: readonly number[]): number[] {
    const wanted = nameBytes(name);
    if (wanted === undefined) return [];
    const found = this.#lookUp(wanted, kinds.length === 0 ? [ANY_KIND] : kinds, isEssentially);
    this.#types.check();
    return found;
  }

  #scan(from: number, wanted: Uint8Array, kind: number): number {
    const found = this.#types.scan(from, { name: wanted, kind });
    this.#scanned += (found < 0 ? this.#types.count : found) - from;
    return found;
  }

  /** Whether a look-up of `kind` should use the index: it is there, or scanning has become the dearer way. */
  #isIndexed(kind: number): boolean {
    const there = (kind === BtfKind.Func || this.#ofOthers !== undefined) &&
      (this.#ofFunctions !== undefined || (kind !== BtfKind.Func && kind !== ANY_KIND));
    return there || this.#scanned > SCANS_BEFORE_INDEX * Math.max(this.#types.count, FEW_TYPES);
  }

  #lookUp(
    wanted: Uint8Array,
    kinds: readonly number[],
    matches: (bytes: Uint8Array, at: number, wanted: Uint8Array) => boolean,
  ): number[] {
    const isAny = kinds.includes(ANY_KIND);
    // The hash reads up to a NUL or a fixed length, so the name needs its NUL.
    const terminated = new Uint8Array(wanted.length + 1);
    terminated.set(wanted);
    const hash = hashName(terminated, 0);

    const { words, offsets } = this.#types;
    const found: number[] = [];
    const collect = ({ head, next }: Chains): void => {
      for (let link = head[hash & (head.length - 1)]!; link !== 0; link = next[link - 1]!) {
        const record = offsets[link - 1]!;
        if (!isAny && !kinds.includes(infoKind(words[record + BTF_TYPE.info]!))) continue;
        const { bytes, at } = this.#strings.locate(words[record]!);
        if (matches(bytes, at, wanted)) found.push(link - 1);
      }
    };
    if (isAny || kinds.some((kind) => kind !== BtfKind.Func)) collect(this.#ofOthers ??= this.#build(false));
    if (isAny || kinds.includes(BtfKind.Func)) collect(this.#ofFunctions ??= this.#build(true));
    return found.sort((a, b) => a - b);
  }

  /** Chains the named functions, or all other named types. */
  #build(functions: boolean): Chains {
    const types = this.#types;
    const count = types.walk(types.offsets.length);
    const { words, offsets } = types;
    const { bytes, start, end } = this.#strings;
    const head = new Uint32Array(1 << Math.max(4, 30 - Math.clz32(count + 1)));
    const next = new Uint32Array(count);
    const mask = head.length - 1;
    const func = BtfKind.Func;
    // Upwards, because the kernel's BTF has types of all sorts first and then functions only: a compiler that has seen the
    // latter alone makes code that fails on the former.
    for (let index = 0; index < count; index++) {
      const record = offsets[index]!;
      const offset = words[record]!;
      // A name that lies nowhere can't be found; who reads it gets the error.
      if (offset === 0 || offset >= end) continue;
      if ((((words[record + 1]! >>> 24) & 0x7f) === func) !== functions) continue;
      const slot = (offset >= start ? hashName(bytes, offset - start) : this.#hashOfBase(offset)) & mask;
      next[index] = head[slot]!;
      head[slot] = index + 1;
    }
    return { head, next };
  }

  #hashOfBase(offset: number): number {
    const { bytes, at } = this.#strings.locate(offset);
    return hashName(bytes, at);
  }
}

/**
 * Which types are the same, as classes that only ever grow.
 *
 * Types refer to each other in cycles, so two of them are the same if nothing that can be reached from both in the same way
 * differs. That is the equivalence of two automata, and Hopcroft and Karp's test of it: take the two for the same, join
 * them, then ask the same of what they refer to; whoever is joined already needs no second look. If two unlike types meet, all joins
 * of the test are taken back.
 *
 * A forward declaration is the same as a struct or union of its name, and joins its class: from then on the two are one, so
 * a class never holds two different structs. Declarations of two compilations are different types until then, because
 * each may stand for another struct.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import { ELEMENTS, HEADER_REFERS } from "../record_shape.ts";
import { BTF_TYPE, infoFlag, infoKind, infoVlen } from "../wire.ts";
import type { TypeStore } from "./type_store.ts";

/** Classes of equal types of a store that no longer grows. */
export class Equivalence {
  readonly #words: Uint32Array;
  readonly #offsets: Uint32Array;
  /** By id the next type on the way to the one that stands for the class, which is its own parent. Not to be changed. */
  readonly parents: Uint32Array;
  /** Types that the test under way has given a parent. */
  readonly #joined: Uint32Array;
  /** Pairs that are still to be compared. */
  #pairs = new Uint32Array(1 << 14);

  /** Each type is alone in its class. */
  constructor(store: TypeStore) {
    this.#words = store.words;
    this.#offsets = store.offsets;
    this.parents = new Uint32Array(store.count);
    for (let id = 0; id < store.count; id++) this.parents[id] = id;
    this.#joined = new Uint32Array(store.count);
  }

  /** The type that stands for the class of `id`. */
  find(id: number): number {
    const parents = this.parents;
    let at = id;
    for (let parent = parents[at]!; parent !== at; parent = parents[at]!) at = parent;
    return at;
  }

  /** Joins the class of `id` with that of `representative`, which goes on to stand for both. */
  join(id: number, representative: number): void {
    const root = this.find(representative);
    this.parents[this.find(id)] = root;
    this.parents[id] = root;
  }

  /**
   * Whether two types are the same; if so, they and all that this took for granted are joined.
   *
   * All in one loop, without a call for what is common: see `StringSet.addSection()`.
   */
  unify(a: number, b: number): boolean {
    const words = this.#words;
    const offsets = this.#offsets;
    const parents = this.parents;
    const joined = this.#joined;
    const { stride: strides, type: types } = ELEMENTS;
    let pairs = this.#pairs;
    let joinedCount = 0;
    let pairCount = 2;
    pairs[0] = a;
    pairs[1] = b;
    while (pairCount > 0) {
      let left = pairs[pairCount - 2]!;
      let right = pairs[pairCount - 1]!;
      pairCount -= 2;
      for (let parent = parents[left]!; parent !== left; parent = parents[left]!) left = parent;
      for (let parent = parents[right]!; parent !== right; parent = parents[right]!) right = parent;
      if (left === right) continue;

      const at = offsets[left]!;
      const otherAt = offsets[right]!;
      const info = words[at + 1]!;
      const kind = (info >>> 24) & 0x7f;
      const verdict = left === 0 || right === 0 || words[at] !== words[otherAt]
        ? DIFFERENT
        : info === words[otherAt + 1]!
        ? this.#compare(kind, at, otherAt)
        : this.#compareDeclaration(at, otherAt);
      if (verdict === DIFFERENT) {
        while (joinedCount > 0) {
          const id = joined[--joinedCount]!;
          parents[id] = id;
        }
        return false;
      }
      // The older type stands for both, so that the order of the ids is kept; but never a declaration for a definition.
      const rightStays = verdict === BOTH ? right < left : verdict === RIGHT_DEFINES;
      const id = rightStays ? left : right;
      parents[id] = rightStays ? right : left;
      joined[joinedCount++] = id;
      if (verdict !== BOTH) continue;

      const stride = strides[kind]!;
      const length = stride * (kind === BtfKind.Array ? 2 : info & 0xffffff);
      if (pairCount + 2 * length + 2 > pairs.length) pairs = this.#pairs = grown(pairs, pairCount + 2 * length + 2);
      if (HEADER_REFERS[kind] === 1 && words[at + 2] !== words[otherAt + 2]) {
        pairs[pairCount++] = words[at + 2]!;
        pairs[pairCount++] = words[otherAt + 2]!;
      }
      if (stride === 0) continue;
      const typeAt = 3 + types[kind]!;
      for (let element = typeAt; element < typeAt + length; element += stride) {
        const one = words[at + element]!;
        const two = words[otherAt + element]!;
        // Most are joined already.
        if (parents[one] === parents[two]) continue;
        pairs[pairCount++] = one;
        pairs[pairCount++] = two;
      }
    }
    for (let i = 0; i < joinedCount; i++) {
      const id = joined[i]!;
      parents[id] = this.find(id);
    }
    return true;
  }

  /** Whether the records at `left` and `right`, of the same name and `info`, differ in anything but the types they refer to. */
  #compare(kind: number, left: number, right: number): Verdict {
    const words = this.#words;
    switch (kind) {
      case BtfKind.Struct:
      case BtfKind.Union: {
        const length = infoVlen(words[left + BTF_TYPE.info]!) * 3;
        if (words[left + 2] !== words[right + 2]) return DIFFERENT;
        for (let at = 3; at < 3 + length; at += 3) {
          if (words[left + at] !== words[right + at] || words[left + at + 2] !== words[right + at + 2]) {
            return DIFFERENT;
          }
        }
        return BOTH;
      }
      case BtfKind.FuncProto: {
        const length = infoVlen(words[left + BTF_TYPE.info]!) * 2;
        for (let at = 3; at < 3 + length; at += 2) {
          if (words[left + at] !== words[right + at]) return DIFFERENT;
        }
        return BOTH;
      }
      case BtfKind.Array:
        return words[left + 5] === words[right + 5] ? BOTH : DIFFERENT;
      case BtfKind.Fwd:
      case BtfKind.Ptr:
      case BtfKind.Typedef:
      case BtfKind.Volatile:
      case BtfKind.Const:
      case BtfKind.Restrict:
      case BtfKind.Func:
      case BtfKind.TypeTag:
        return BOTH;
      default:
        // Numbers have been joined before; variables, sections and tags of declarations are part of no other type.
        return DIFFERENT;
    }
  }

  /** Whether one of two records of the same name declares what the other defines. */
  #compareDeclaration(left: number, right: number): Verdict {
    const info = this.#words[left + BTF_TYPE.info]!;
    const otherInfo = this.#words[right + BTF_TYPE.info]!;
    if (this.#words[left] === 0) return DIFFERENT;
    if (infoKind(info) === BtfKind.Fwd) return isDeclaredBy(otherInfo, info) ? RIGHT_DEFINES : DIFFERENT;
    if (infoKind(otherInfo) === BtfKind.Fwd) return isDeclaredBy(info, otherInfo) ? LEFT_DEFINES : DIFFERENT;
    return DIFFERENT;
  }
}

/** What comparing two types without those they refer to can end with. */
type Verdict = typeof DIFFERENT | typeof BOTH | typeof LEFT_DEFINES | typeof RIGHT_DEFINES;
const DIFFERENT = 0;
/** The same, if what they refer to is. */
const BOTH = 1;
const LEFT_DEFINES = 2;
const RIGHT_DEFINES = 3;

function isDeclaredBy(info: number, fwdInfo: number): boolean {
  return infoKind(info) === (infoFlag(fwdInfo) ? BtfKind.Union : BtfKind.Struct);
}

function grown(words: Uint32Array, least: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(words.length * 2, least));
  larger.set(words);
  return larger;
}

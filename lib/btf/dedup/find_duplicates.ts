/**
 * Finding out which types of a store are the same.
 *
 * What types are made of decides the order: numbers and enums first, they refer to nothing; then structs and unions, whose
 * graphs are compared as wholes because they are cyclic; then forward declarations that are left; and at last what refers to
 * others, from the inside out, because what is inside has its final class by then. Variables, sections and what is
 * said about them by name are never the same. Facts: which types libbpf 1.7 leaves when it links.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import { BTF_TYPE, infoFlag, infoKind, infoVlen } from "../wire.ts";
import { Equivalence } from "./equivalence.ts";
import { HashTable, mix, recordLength } from "./hash_table.ts";
import { joinReferences } from "./join_references.ts";
import { KindClass, type TypeStore } from "./type_store.ts";

/** References that the hash of a struct follows: enough to tell the maps of an object apart, whose members are pointers. */
const HASHED_STEPS = 4;

/** Types whose class `given` says, by id: it need not be found. */
export type GivenClasses = ReadonlyMap<number, number>;

/** Finds the classes of equal types. */
export function findDuplicates(store: TypeStore, given: GivenClasses): Equivalence {
  const search = new Search(store);
  for (const [id, representative] of given) search.classes.join(id, representative);
  search.numbers();
  search.composites();
  search.declarations();
  joinReferences(store, search.classes, store.idsOf(KindClass.Reference));
  return search.classes;
}

class Search {
  readonly classes: Equivalence;
  readonly #store: TypeStore;
  readonly #words: Uint32Array;
  readonly #offsets: Uint32Array;

  constructor(store: TypeStore) {
    this.classes = new Equivalence(store);
    this.#store = store;
    this.#words = store.words;
    this.#offsets = store.offsets;
  }

  /** Ints, floats and enums: equal in all words. An enum without values declares one of its name, of any size. */
  numbers(): void {
    const numbers = this.#store.idsOf(KindClass.Number);
    const table = new HashTable(numbers.length);
    const declarations: number[] = [];
    /** First enum with values by name. */
    const enums = new Map<number, number>();
    for (const id of numbers) {
      const at = this.#offsets[id]!;
      const info = this.#words[at + BTF_TYPE.info]!;
      switch (infoKind(info)) {
        case BtfKind.Enum:
        case BtfKind.Enum64: {
          const name = this.#words[at]!;
          if (name !== 0 && infoVlen(info) === 0) declarations.push(id);
          else if (!enums.has(name)) enums.set(name, id);
          this.#joinSameWords(table, id);
          break;
        }
        case BtfKind.Int:
        case BtfKind.Float:
          this.#joinSameWords(table, id);
          break;
        default:
      }
    }
    for (const id of declarations) {
      const definition = enums.get(this.#words[this.#offsets[id]!]!);
      if (definition !== undefined) this.classes.join(id, definition);
    }
  }

  /** Structs and unions: same members, of types that are the same. */
  composites(): void {
    const composites = this.#store.idsOf(KindClass.Composite);
    const table = new HashTable(composites.length);
    const { parents } = this.classes;
    for (let i = 0; i < composites.length; i++) {
      const id = composites[i]!;
      if (parents[id] !== id) continue;
      const hash = this.#hashMembers(this.#offsets[id]!);
      let slot = table.start(hash);
      for (let other = table.at(slot, hash); other !== 0; other = table.at(slot, hash)) {
        if (other > 0 && this.classes.unify(other, id)) break;
        slot = table.next(slot);
      }
      if (table.at(slot, hash) === 0) table.put(slot, hash, id);
    }
  }

  /** Declarations that nothing has been found for: one of each name, or the only struct or union that they can mean. */
  declarations(): void {
    const { parents } = this.classes;
    const declarations = this.#store.idsOf(KindClass.Declaration);
    const left = new Map<number, number>();
    for (let i = 0; i < declarations.length; i++) {
      const id = declarations[i]!;
      if (parents[id] !== id) continue;
      const at = this.#offsets[id]!;
      const key = this.#words[at]! * 2 + (infoFlag(this.#words[at + BTF_TYPE.info]!) ? 1 : 0);
      const first = left.get(key);
      if (first === undefined) left.set(key, id);
      else this.classes.join(id, first);
    }
    /** By name and kind the struct or union that is alone with them; 0 if there are several. */
    const only = new Map<number, number>();
    const composites = this.#store.idsOf(KindClass.Composite);
    for (let i = 0; i < composites.length; i++) {
      const id = composites[i]!;
      if (parents[id] !== id) continue;
      const at = this.#offsets[id]!;
      if (this.#words[at] === 0) continue;
      const key = this.#words[at]! * 2 + (infoKind(this.#words[at + BTF_TYPE.info]!) === BtfKind.Union ? 1 : 0);
      only.set(key, only.has(key) ? 0 : id);
    }
    for (const [key, id] of left) {
      const composite = only.get(key) ?? 0;
      if (composite === 0) continue;
      this.classes.join(id, composite);
    }
  }

  #joinSameWords(table: HashTable, id: number): void {
    const words = this.#words;
    const at = this.#offsets[id]!;
    const length = recordLength(words, at);
    let hash = 0;
    for (let i = 0; i < length; i++) hash = mix(hash, words[at + i]!);
    let slot = table.start(hash);
    for (let other = table.at(slot, hash); other !== 0; other = table.at(slot, hash)) {
      if (other > 0 && this.#sameWords(at, this.#offsets[other]!, length)) {
        if (this.classes.find(id) === id) this.classes.join(id, other);
        return;
      }
      slot = table.next(slot);
    }
    table.put(slot, hash, id);
  }

  /** The first words hold the number of those behind them, so comparing beyond a shorter record does not happen. */
  #sameWords(left: number, right: number, length: number): boolean {
    for (let i = 0; i < length; i++) {
      if (this.#words[left + i] !== this.#words[right + i]) return false;
    }
    return true;
  }

  /** What equal structs have in common for certain, as far as it is near. */
  #hashMembers(at: number): number {
    const words = this.#words;
    const info = words[at + BTF_TYPE.info]!;
    let hash = mix(mix(mix(0, words[at]!), info), words[at + BTF_TYPE.sizeOrType]!);
    const end = at + BTF_TYPE.words + infoVlen(info) * 3;
    for (let member = at + BTF_TYPE.words; member < end; member += 3) {
      hash = mix(mix(hash, words[member]!), words[member + 2]!);
      hash = this.#hashType(hash, words[member + 1]!);
    }
    return hash;
  }

  /** Mixes a type into a hash: kinds and names of what it refers to, a few steps far. A declaration is as good as a struct. */
  #hashType(hash: number, start: number): number {
    const words = this.#words;
    let id = start;
    for (let step = 0; step < HASHED_STEPS && id !== 0; step++) {
      const at = this.#offsets[id]!;
      const info = words[at + BTF_TYPE.info]!;
      const kind = infoKind(info);
      switch (kind) {
        case BtfKind.Int:
        case BtfKind.Float:
        case BtfKind.Enum:
        case BtfKind.Enum64:
          return mix(hash, this.classes.find(id));
        case BtfKind.Fwd:
          return mix(mix(hash, infoFlag(info) ? BtfKind.Union : BtfKind.Struct), words[at]!);
        case BtfKind.Array:
          hash = mix(mix(hash, kind), words[at + BTF_TYPE.words + 2]!);
          id = words[at + BTF_TYPE.words]!;
          break;
        case BtfKind.Ptr:
        case BtfKind.Const:
        case BtfKind.Volatile:
        case BtfKind.Restrict:
        case BtfKind.TypeTag:
          hash = mix(hash, kind);
          id = words[at + BTF_TYPE.sizeOrType]!;
          break;
        default:
          return mix(mix(hash, kind), words[at]!);
      }
    }
    return hash;
  }
}

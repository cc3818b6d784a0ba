/**
 * Types of two BTFs as the C text that names them: `struct file *` is the same in both, whatever a file is.
 *
 * @module
 */
import { BtfKind, BtfMax } from "../../uapi/mod.ts";
import type { Btf } from "../btf.ts";
import { Equivalence } from "../dedup/equivalence.ts";
import { isSameRecord, joinReferences } from "../dedup/join_references.ts";
import { type StoredBtf, storedId, TypeStore } from "../dedup/type_store.ts";
import { BTF_TYPE, infoFlag, infoKind, infoVlen } from "../wire.ts";

/** What a name can belong to: each sort has names of its own. */
export type NameSort = "struct" | "union" | "enum" | "typedef" | "number" | "func" | "var";

/** The sorts; a sort's number is its place here. */
export const SORTS: readonly NameSort[] = ["struct", "union", "enum", "typedef", "number", "func", "var"];

/** Number of the sort of each kind, plus 1; 0 for kinds whose types have no names of their own. */
const SORT_OF_KIND = new Uint8Array(BtfMax.BTF_MAX_KIND + 1);
for (
  const [kind, sort] of [
    [BtfKind.Struct, "struct"],
    [BtfKind.Union, "union"],
    [BtfKind.Enum, "enum"],
    [BtfKind.Enum64, "enum"],
    [BtfKind.Typedef, "typedef"],
    [BtfKind.Int, "number"],
    [BtfKind.Float, "number"],
    [BtfKind.Func, "func"],
    [BtfKind.Var, "var"],
  ] as const
) SORT_OF_KIND[kind] = SORTS.indexOf(sort) + 1;

/** The sort of name that a type of this kind has. */
export function sortOf(kind: number): NameSort | undefined {
  return SORTS[SORT_OF_KIND[kind]! - 1];
}

/** Two BTFs, told apart by what C says. */
export class NameClasses {
  readonly #store = new TypeStore();
  readonly #classes: Equivalence;
  readonly #stored: readonly [StoredBtf, StoredBtf];

  constructor(a: Btf, b: Btf) {
    const stored = new Map<Btf, StoredBtf>();
    const store = (btf: Btf): StoredBtf => {
      let known = stored.get(btf);
      if (known === undefined) {
        known = this.#store.append(btf, btf.base === undefined ? undefined : store(btf.base));
        stored.set(btf, known);
      }
      return known;
    };
    this.#stored = [store(a), store(b)];
    this.#classes = new Equivalence(this.#store);
    this.#join();
  }

  /** Ids of the types of one BTF (0: the first) by a number for sort and name, which is the same in both. */
  idsByName(which: 0 | 1): Map<number, number[]> {
    const { words, offsets } = this.#store;
    const stored = this.#stored[which];
    const ids = new Map<number, number[]>();
    const end = stored.btf.typeCount;
    for (let id = 1; id < end; id++) {
      const at = offsets[storedId(stored, id)]!;
      const sort = SORT_OF_KIND[infoKind(words[at + BTF_TYPE.info]!)]!;
      if (sort === 0 || words[at] === 0) continue;
      const key = words[at]! * SORTS.length + sort - 1;
      const known = ids.get(key);
      if (known === undefined) ids.set(key, [id]);
      else known.push(id);
    }
    return ids;
  }

  /** Whether a type of the first BTF has the same record as one of the second, where types with names are their names. */
  isSame(id: number, other: number): boolean {
    const [a, b] = this.#stored;
    return isSameRecord(this.#store, this.#classes, storedId(a, id), storedId(b, other));
  }

  /** Joins what has the same name, then all that refers to the same names. */
  #join(): void {
    const { words, offsets, count } = this.#store;
    const byName = new Map<number, number>();
    const others = new Uint32Array(count);
    let length = 0;
    for (let id = 1; id < count; id++) {
      const at = offsets[id]!;
      const info = words[at + BTF_TYPE.info]!;
      const kind = this.#store.kindOf(id);
      if (kind === BtfKind.FuncProto) {
        // Names of parameters change without a meaning.
        for (let param = 0; param < infoVlen(info); param++) words[at + BTF_TYPE.words + param * 2] = 0;
      }
      if (words[at] === 0 || kind === BtfKind.TypeTag || kind === BtfKind.DeclTag) {
        others[length++] = id;
        continue;
      }
      if (kind === BtfKind.Func || kind === BtfKind.Var || kind === BtfKind.Datasec) continue;
      const named = kind !== BtfKind.Fwd ? kind : infoFlag(info) ? BtfKind.Union : BtfKind.Struct;
      const key = words[at]! * SORTS.length + SORT_OF_KIND[named]! - 1;
      const first = byName.get(key);
      if (first === undefined) byName.set(key, id);
      else this.#classes.join(id, first);
    }
    joinReferences(this.#store, this.#classes, others.subarray(0, length));
  }
}

/**
 * Finding out which types refer to the same types in the same way.
 *
 * @module
 */
import { elementCount, ELEMENTS, HEADER_REFERS } from "../record_shape.ts";
import { BTF_TYPE, infoKind, infoVlen } from "../wire.ts";
import type { Equivalence } from "./equivalence.ts";
import { HashTable, mix, recordLength } from "./hash_table.ts";
import type { TypeStore } from "./type_store.ts";

/**
 * Joins those of `ids` that are equal but for what they refer to, and refer to the same classes. What they refer to is
 * settled first if it is one of `ids`, and has its final class otherwise. What refers to itself without one of those
 * others in between, as C cannot, stays alone.
 */
export function joinReferences(store: TypeStore, classes: Equivalence, ids: Uint32Array): void {
  const { words, offsets, count } = store;
  const { parents } = classes;
  const table = new HashTable(ids.length);
  /** 0: none of `ids`, or settled; 1: not looked at; 2: what it refers to is being settled. */
  const state = new Uint8Array(count);
  for (let i = 0; i < ids.length; i++) state[ids[i]!] = 1;
  const stack: number[] = [];
  const enter = (id: number): void => {
    const root = classes.find(id);
    if (state[root] === 1) stack.push(root);
  };
  for (let i = 0; i < ids.length; i++) {
    const start = ids[i]!;
    if (parents[start] !== start || state[start] !== 1) continue;
    stack.push(start);
    while (stack.length > 0) {
      const id = stack.at(-1)!;
      const at = offsets[id]!;
      const info = words[at + 1]!;
      const depth = stack.length;
      if (state[id] === 1) {
        state[id] = 2;
        const kind = infoKind(info);
        if (HEADER_REFERS[kind] === 1) enter(words[at + 2]!);
        const stride = ELEMENTS.stride[kind]!;
        let element = at + 3 + ELEMENTS.type[kind]!;
        for (let left = elementCount(kind, infoVlen(info)); left > 0; left--) {
          enter(words[element]!);
          element += stride;
        }
        if (stack.length > depth) continue;
      }
      stack.pop();
      // Twice on the stack where two refer to it.
      if (state[id] === 0) continue;
      state[id] = 0;
      joinSame(store, classes, table, id);
    }
  }
}

/** Joins a type with the one in the table that is the same, or puts it there. */
function joinSame(store: TypeStore, classes: Equivalence, table: HashTable, id: number): void {
  const { words, offsets } = store;
  const at = offsets[id]!;
  const length = recordLength(words, at);
  let hash = 0;
  for (let i = 0; i < length; i++) {
    const word = words[at + i]!;
    hash = mix(hash, refersAt(words, at, i) ? classes.find(word) : word);
  }
  let slot = table.start(hash);
  for (let other = table.at(slot, hash); other !== 0; other = table.at(slot, hash)) {
    if (other > 0 && isSameRecord(store, classes, id, other)) {
      classes.join(id, other);
      return;
    }
    slot = table.next(slot);
  }
  table.put(slot, hash, id);
}

/** Whether two types are equal but for what they refer to, and refer to the same classes. */
export function isSameRecord(store: TypeStore, classes: Equivalence, id: number, other: number): boolean {
  const { words, offsets } = store;
  const at = offsets[id]!;
  const otherAt = offsets[other]!;
  // The first words hold the number of those behind them: a shorter record differs before its end.
  const length = recordLength(words, at);
  for (let i = 0; i < length; i++) {
    const mine = words[at + i]!;
    const theirs = words[otherAt + i]!;
    if (mine === theirs) continue;
    if (!refersAt(words, at, i) || classes.find(mine) !== classes.find(theirs)) return false;
  }
  return true;
}

/** Whether the `index`-th word of the record at `at` is a type id. */
function refersAt(words: Uint32Array, at: number, index: number): boolean {
  const info = words[at + BTF_TYPE.info]!;
  const kind = infoKind(info);
  if (index === BTF_TYPE.sizeOrType) return HEADER_REFERS[kind] === 1;
  const stride = ELEMENTS.stride[kind]!;
  if (index < BTF_TYPE.words || stride === 0) return false;
  const element = index - BTF_TYPE.words;
  return element % stride === ELEMENTS.type[kind]! && element < stride * elementCount(kind, infoVlen(info));
}

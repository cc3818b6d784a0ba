/**
 * The types that stand for their classes, close together, with new ids and only the strings that they use.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";
import { ABSENT, ELEMENTS, HEADER_REFERS } from "../record_shape.ts";
import { BTF_TYPE, infoKind } from "../wire.ts";
import type { Equivalence } from "./equivalence.ts";
import type { TypeStore } from "./type_store.ts";

/** What is left of a store. */
export interface CompactTypes {
  /** The type section. */
  readonly words: Uint32Array;
  /** The string section. */
  readonly strings: Uint8Array;
  /** New offset by old offset of a string that is used. */
  readonly stringOffsets: Uint32Array;
  /** Number of ids, that of `void` included. */
  readonly typeCount: number;
  /** New id by old id, for types that stand for their classes; 0 for what was dropped. */
  readonly ids: Uint32Array;
}

/**
 * Keeps one type of each class, in the order of their ids.
 *
 * @param dropped What to leave out, with the tags of its declaration.
 * @throws {FormatError} if something that is left refers to something left out.
 */
export function compact(store: TypeStore, classes: Equivalence, dropped: ReadonlySet<number>): CompactTypes {
  const { words, offsets, count } = store;
  const { parents } = classes;
  const ids = new Uint32Array(count);
  const kept: number[] = [];
  let length = 0;
  for (let id = 1; id < count; id++) {
    if (parents[id] !== id) continue;
    const at = offsets[id]!;
    if (dropped.size > 0) {
      if (dropped.has(id)) continue;
      if (infoKind(words[at + 1]!) === BtfKind.DeclTag && dropped.has(classes.find(words[at + 2]!))) continue;
    }
    kept.push(id);
    ids[id] = kept.length;
    length += (id + 1 < count ? offsets[id + 1]! : store.length) - at;
  }

  const { bytes: strings, offsets: stringOffsets } = store.strings.compact();
  const result = new Uint32Array(length);
  const refer = (from: number, id: number): number => {
    const target = ids[classes.find(id)]!;
    if (target === 0 && id !== 0) {
      throw new FormatError(`merge id ${from} refers to merge id ${id}, which has been dropped`);
    }
    return target;
  };
  let to = 0;
  for (const id of kept) {
    const start = to;
    const end = id + 1 < count ? offsets[id + 1]! : store.length;
    for (let from = offsets[id]!; from < end; from++) result[to++] = words[from]!;
    const info = result[start + BTF_TYPE.info]!;
    const kind = infoKind(info);
    result[start] = stringOffsets[result[start]!]!;
    if (HEADER_REFERS[kind] === 1) result[start + 2] = refer(id, result[start + 2]!);
    const stride = ELEMENTS.stride[kind]!;
    if (stride === 0) continue;
    const nameAt = ELEMENTS.name[kind]!;
    const typeAt = ELEMENTS.type[kind]!;
    const last = kind === BtfKind.Array ? start + BTF_TYPE.words + 2 : to;
    for (let element = start + BTF_TYPE.words; element < last; element += stride) {
      if (nameAt !== ABSENT) result[element + nameAt] = stringOffsets[result[element + nameAt]!]!;
      if (typeAt !== ABSENT) result[element + typeAt] = refer(id, result[element + typeAt]!);
    }
  }
  return { words: result, strings, stringOffsets, typeCount: kept.length + 1, ids };
}

/**
 * All types of a BTF as plain arrays, those of its bases in front: what goes over each of a kernel's hundred thousand
 * types reads these, where an object for each would cost ten times as much as the work itself.
 *
 * @module
 */
import { decodeText } from "../../bytes.ts";
import { FormatError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";
import { type Btf, type BtfParts, partsOf } from "../btf.ts";
import { BTF_TYPE, infoKind, infoVlen } from "../wire.ts";

/** Types as words. Ids and string offsets in them are not checked. */
export interface RawTypes {
  /** How errors call the BTF. */
  readonly what: string;
  /** The records (`struct btf_type` and what follows), in the host's order. */
  readonly words: Uint32Array;
  /** Word offset of a type's record, by `id - 1`. */
  readonly offsets: Uint32Array;
  /** NUL-terminated names. */
  readonly strings: Uint8Array;
  /** Number of ids, `void` included. */
  readonly count: number;
  /** Id of the first type that is not a base's. */
  readonly ownStartId: number;
  /** Size of a pointer in bytes. */
  readonly pointerSize: number;
}

/**
 * The types of `btf` and of its bases; copies only where there is a base.
 *
 * @throws {FormatError} if a type's record is malformed.
 */
export function rawTypes(btf: Btf): RawTypes {
  const count = btf.typeCount;
  const { what, ownStartId, pointerSize } = btf;
  const chain: BtfParts[] = [];
  for (let one: Btf | undefined = btf; one !== undefined; one = one.base) chain.unshift(partsOf(one));
  const first = chain[0]!;
  const common = { what, count, ownStartId, pointerSize };
  if (chain.length === 1) {
    return {
      ...common,
      words: first.types.words,
      offsets: first.types.offsets.subarray(0, count - 1),
      strings: first.strings.bytes,
    };
  }
  const words = new Uint32Array(chain.reduce((sum, { types }) => sum + types.words.length, 0));
  const strings = new Uint8Array(chain.reduce((sum, { strings }) => sum + strings.bytes.length, 0));
  const offsets = new Uint32Array(count - 1);
  let [wordsAt, stringsAt, offsetsAt] = [0, 0, 0];
  for (const part of chain) {
    words.set(part.types.words, wordsAt);
    strings.set(part.strings.bytes, stringsAt);
    for (let i = 0; i < part.types.count; i++) offsets[offsetsAt++] = part.types.offsets[i]! + wordsAt;
    wordsAt += part.types.words.length;
    stringsAt += part.strings.bytes.length;
  }
  return { ...common, words, offsets, strings };
}

/** The string at `offset`; empty if that is outside. */
export function rawString(types: RawTypes, offset: number): string {
  const { strings } = types;
  if (offset >= strings.length) return "";
  return decodeText(strings, offset, strings.indexOf(0, offset));
}

/** The name of a type. */
export function rawName(types: RawTypes, id: number): string {
  return id === 0 ? "" : rawString(types, types.words[types.offsets[id - 1]!]!);
}

/** The kind of a type. */
export function rawKind(types: RawTypes, id: number): number {
  return id === 0 ? BtfKind.Unknown : infoKind(types.words[types.offsets[id - 1]! + BTF_TYPE.info]!);
}

/** An error about a type. */
export function typeError(types: RawTypes, id: number, problem: string): FormatError {
  const name = id < types.count ? rawName(types, id) : "";
  return new FormatError(`${types.what}: type id ${id}${name === "" ? "" : ` ("${name}")`}: ${problem}`);
}

const { words: TRAILER, sizeOrType: TARGET } = BTF_TYPE;

/**
 * By id, 1 for types that other types refer to; that a function returns a type does not count, so is it with bpftool. One pass
 * over all types; references to what does not exist are passed over.
 */
export function referencedTypes(types: RawTypes): Uint8Array {
  const { words, offsets, count } = types;
  const referenced = new Uint8Array(count);
  for (let index = 0; index < count - 1; index++) {
    const at = offsets[index]!;
    const info = words[at + BTF_TYPE.info]!;
    let step = 0;
    let first = at + TRAILER + 1;
    switch (infoKind(info)) {
      case BtfKind.Int:
      case BtfKind.Float:
      case BtfKind.Fwd:
      case BtfKind.Enum:
      case BtfKind.Enum64:
        break;
      case BtfKind.Struct:
      case BtfKind.Union:
        step = 3;
        break;
      case BtfKind.FuncProto:
        step = 2;
        break;
      case BtfKind.Datasec:
        step = 3;
        first = at + TRAILER;
        break;
      case BtfKind.Array:
        referenced[words[at + TRAILER]!] = 1;
        referenced[words[at + TRAILER + 1]!] = 1;
        break;
      default:
        referenced[words[at + TARGET]!] = 1;
    }
    if (step === 0) continue;
    const end = first + infoVlen(info) * step;
    for (let place = first; place < end; place += step) referenced[words[place]!] = 1;
  }
  return referenced;
}

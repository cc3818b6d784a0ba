/**
 * In which order definitions have to stand so that C accepts them.
 *
 * @module
 */
import { type FormatError, UnsupportedError } from "../../errors.ts";
import { BtfKind } from "../../uapi/mod.ts";
import { BTF_TYPE, infoKind, infoVlen } from "../wire.ts";
import { type RawTypes, typeError } from "./raw_types.ts";

/** Types inside types that are followed; those of kernels from 5.10 to 7.3 are at most 20 deep. */
export const MAX_DEPTH = 400;

const ORDERING = 1;
const ORDERED = 2;

/**
 * Orders definitions: what a definition needs comes before it. C needs the whole definition of what is embedded, and only a
 * declaration of what is pointed at, if it has a name; what has none is written inside its user, so its needs are the user's:
 *
 * ```c
 * struct a { int x; };
 * struct b { struct { struct a y; } *p; struct b *next; }; // needs a's definition, not b's own
 * ```
 *
 * So a reference is weak if it goes through a pointer and reaches a name, else it is strong; strong ones must not form a
 * cycle. The order is that of libbpf 1.1, whose text depends on it.
 */
export class COrder {
  readonly #types: RawTypes;
  readonly #referenced: Uint8Array;
  readonly #state: Uint8Array;
  readonly #queue: number[] = [];
  #queued = 0;

  /** @param referenced See `referencedTypes`. */
  constructor(types: RawTypes, referenced: Uint8Array) {
    this.#types = types;
    this.#referenced = referenced;
    this.#state = new Uint8Array(types.count);
    this.#state[0] = ORDERED;
  }

  /**
   * Finds the definitions that `id` needs and that were not found before, itself included; gives how many.
   *
   * @throws {FormatError} if a type contains itself, refers outside, or types are too deep in one another.
   * @throws {UnsupportedError} for a kind that is not known.
   */
  find(id: number): number {
    this.#queued = 0;
    if (this.#state[id] !== ORDERED) this.#visit(id, false, 0);
    return this.#queued;
  }

  /** Id of one of the definitions found last, in their order. */
  found(index: number): number {
    return this.#queue[index]!;
  }

  /** Whether the reference to `id` is strong. */
  #visit(id: number, throughPointer: boolean, depth: number): boolean {
    const state = this.#state;
    if (state[id] === ORDERED) return true;
    const { words, offsets, strings, count } = this.#types;
    if (id >= count) throw typeError(this.#types, id, "is referred to and does not exist");
    const at = offsets[id - 1]!;
    const info = words[at + BTF_TYPE.info]!;
    const kind = infoKind(info);
    if (state[id] === ORDERING) {
      if ((kind === BtfKind.Struct || kind === BtfKind.Union) && throughPointer && words[at] !== 0) return false;
      throw typeError(this.#types, id, "contains itself");
    }
    if (words[at]! >= strings.length) throw typeError(this.#types, id, "its name lies outside the strings");
    if (depth > MAX_DEPTH) throw typeError(this.#types, id, `more than ${MAX_DEPTH} types inside one another`);
    const target = words[at + BTF_TYPE.sizeOrType]!;
    switch (kind) {
      case BtfKind.Ptr: {
        const strong = this.#visit(target, true, depth + 1);
        state[id] = ORDERED;
        return strong;
      }
      case BtfKind.Array:
        return this.#visit(words[at + BTF_TYPE.words]!, false, depth + 1);
      case BtfKind.Struct:
      case BtfKind.Union: {
        if (throughPointer && words[at] !== 0) return false;
        state[id] = ORDERING;
        const end = at + BTF_TYPE.words + infoVlen(info) * 3;
        for (let record = at + BTF_TYPE.words; record < end; record += 3) {
          if (words[record]! >= strings.length) throw this.#memberName(id);
          const member = words[record + 1]!;
          if (state[member] !== ORDERED) this.#visit(member, false, depth + 1);
        }
        if (words[at] !== 0) this.#queue[this.#queued++] = id;
        state[id] = ORDERED;
        return true;
      }
      case BtfKind.Enum:
      case BtfKind.Enum64:
      case BtfKind.Fwd:
        this.#checkValues(id, at, kind);
        if (words[at] !== 0 || this.#referenced[id] === 0) this.#queue[this.#queued++] = id;
        state[id] = ORDERED;
        return true;
      case BtfKind.Typedef: {
        const strong = this.#visit(target, throughPointer, depth + 1);
        if (throughPointer && !strong) return false;
        this.#queue[this.#queued++] = id;
        state[id] = ORDERED;
        return true;
      }
      case BtfKind.Volatile:
      case BtfKind.Const:
      case BtfKind.Restrict:
      case BtfKind.TypeTag:
        return this.#visit(target, throughPointer, depth + 1);
      case BtfKind.FuncProto: {
        let strong = this.#visit(target, throughPointer, depth + 1);
        const end = at + BTF_TYPE.words + infoVlen(info) * 2;
        for (let record = at + BTF_TYPE.words; record < end; record += 2) {
          if (words[record]! >= strings.length) throw this.#memberName(id);
          if (this.#visit(words[record + 1]!, throughPointer, depth + 1)) strong = true;
        }
        return strong;
      }
      case BtfKind.Int:
      case BtfKind.Float:
      case BtfKind.Func:
      case BtfKind.Var:
      case BtfKind.Datasec:
      case BtfKind.DeclTag:
        // Numbers need no definition; functions, variables, sections and tags are none.
        state[id] = ORDERED;
        return false;
      default:
        throw new UnsupportedError(
          `BTF kind ${kind}`,
          `${this.#types.what}: type id ${id} has kind ${kind}, which is newer than this library`,
        );
    }
  }

  #checkValues(id: number, at: number, kind: number): void {
    const { words, strings } = this.#types;
    const step = kind === BtfKind.Enum ? 2 : 3;
    const count = kind === BtfKind.Fwd ? 0 : infoVlen(words[at + BTF_TYPE.info]!);
    const end = at + BTF_TYPE.words + count * step;
    for (let record = at + BTF_TYPE.words; record < end; record += step) {
      if (words[record]! >= strings.length) throw this.#memberName(id);
    }
  }

  #memberName(id: number): FormatError {
    return typeError(this.#types, id, "the name of a member, parameter or value lies outside the strings");
  }
}

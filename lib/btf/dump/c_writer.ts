/**
 * Definitions of BTF types as C text, each behind what it needs.
 *
 * @module
 */
import { BtfKind } from "../../uapi/mod.ts";
import { BTF_TYPE, infoKind, infoVlen } from "../wire.ts";
import { COrder, MAX_DEPTH } from "./c_order.ts";
import { CText, type CTextOptions } from "./c_text.ts";
import { type RawTypes, referencedTypes, typeError } from "./raw_types.ts";
import type { TextBuffer } from "./text_buffer.ts";

const NOT_WRITTEN = 0;
const WRITING = 1;
const WRITTEN = 2;

const { words: TRAILER, sizeOrType: TARGET, info: INFO } = BTF_TYPE;

/** Writes definitions, each once, and before each the definitions and declarations that it needs. */
export class CWriter {
  readonly #types: RawTypes;
  readonly #out: TextBuffer;
  readonly #text: CText;
  readonly #order: COrder;
  readonly #state: Uint8Array;
  /** 1: the type may be pointed at already. */
  readonly #declared: Uint8Array;

  constructor(options: CTextOptions) {
    const { types } = options;
    this.#types = types;
    this.#out = options.out;
    this.#text = new CText(options);
    this.#order = new COrder(types, referencedTypes(types));
    this.#state = new Uint8Array(types.count);
    this.#state[0] = WRITTEN;
    this.#declared = new Uint8Array(types.count);
  }

  /**
   * Writes the definition of a type and what it needs.
   *
   * @throws {FormatError} if types contain themselves, or are too deep or too many in one another.
   * @throws {UnsupportedError} if it cannot be said in C.
   */
  write(id: number): void {
    const order = this.#order;
    const count = order.find(id);
    for (let index = 0; index < count; index++) this.#prepare(order.found(index), 0, 0);
  }

  /** Writes what has to stand before `id` is used inside `container`; for `container` 0, its definition. */
  #prepare(id: number, container: number, depth: number): void {
    const state = this.#state;
    if (state[id] === WRITTEN) return;
    if (depth > MAX_DEPTH) throw typeError(this.#types, id, `more than ${MAX_DEPTH} types inside one another`);
    this.#text.spend(id);
    const { words, offsets } = this.#types;
    const at = offsets[id - 1]!;
    const info = words[at + INFO]!;
    const kind = infoKind(info);
    if (state[id] === WRITING) {
      this.#declareAgain(id, at, kind, container);
      return;
    }
    switch (kind) {
      case BtfKind.Int:
        this.#text.defineInt(id, at);
        state[id] = WRITTEN;
        break;
      case BtfKind.Enum:
      case BtfKind.Enum64:
        if (container === 0) {
          this.#text.enum(id, at, 0);
          this.#out.ascii(";\n\n");
        }
        state[id] = WRITTEN;
        break;
      case BtfKind.Ptr:
      case BtfKind.Volatile:
      case BtfKind.Const:
      case BtfKind.Restrict:
      case BtfKind.TypeTag:
        this.#prepare(words[at + TARGET]!, container, depth + 1);
        // There is nothing to be done again for what stands already.
        if (state[words[at + TARGET]!] === WRITTEN) state[id] = WRITTEN;
        break;
      case BtfKind.Array:
        this.#prepare(words[at + TRAILER]!, container, depth + 1);
        if (state[words[at + TRAILER]!] === WRITTEN) state[id] = WRITTEN;
        break;
      case BtfKind.Fwd:
        this.#text.forward(id, at);
        this.#out.ascii(";\n\n");
        state[id] = WRITTEN;
        break;
      case BtfKind.Typedef:
        state[id] = WRITING;
        this.#prepare(words[at + TARGET]!, id, depth + 1);
        // A pointer somewhere below may have asked for it already.
        if (this.#declared[id] === 0) this.#text.typedef(id, at);
        state[id] = WRITTEN;
        break;
      case BtfKind.Struct:
      case BtfKind.Union:
        this.#prepareBody(id, at, container, depth);
        break;
      case BtfKind.FuncProto: {
        this.#prepare(words[at + TARGET]!, container, depth + 1);
        const end = at + TRAILER + infoVlen(info) * 2;
        for (let record = at + TRAILER; record < end; record += 2) {
          this.#prepare(words[record + 1]!, container, depth + 1);
        }
        break;
      }
    }
  }

  /** A type is needed while it is being written: a declaration has to do. */
  #declareAgain(id: number, at: number, kind: number, container: number): void {
    if (this.#declared[id] === 1) return;
    if (kind === BtfKind.Typedef) {
      this.#text.typedef(id, at);
    } else if (id === container || this.#types.words[at] === 0) {
      return;
    } else {
      this.#text.tag(id, at);
      this.#out.ascii(";\n\n");
    }
    this.#declared[id] = 1;
  }

  #prepareBody(id: number, at: number, container: number, depth: number): void {
    const { words } = this.#types;
    const anonymous = words[at] === 0;
    this.#state[id] = WRITING;
    if (container === 0 || anonymous) {
      const inside = anonymous ? container : id;
      const end = at + TRAILER + infoVlen(words[at + INFO]!) * 3;
      for (let record = at + TRAILER; record < end; record += 3) {
        const member = words[record + 1]!;
        if (this.#state[member] !== WRITTEN) this.#prepare(member, inside, depth + 1);
      }
    } else if (this.#declared[id] === 0 && id !== container) {
      this.#text.tag(id, at);
      this.#out.ascii(";\n\n");
      this.#declared[id] = 1;
    }
    if (container === 0) {
      this.#text.body(id, at, 0);
      this.#out.ascii(";\n\n");
      this.#state[id] = WRITTEN;
    } else {
      this.#state[id] = NOT_WRITTEN;
    }
  }
}

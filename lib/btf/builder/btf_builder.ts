/**
 * Building a small BTF out of types of others, for `BPF_BTF_LOAD`.
 *
 * @module
 */
import { type ByteOrder, HOST_BYTE_ORDER } from "../../bytes.ts";
import { BtfKind } from "../../uapi/mod.ts";
import type { BtfType } from "../types.ts";
import { BTF_HEADER } from "../wire.ts";
import { encodeBlob } from "./encode_blob.ts";
import { encodeType, type TypeSink } from "./encode_type.ts";
import { StringBuilder } from "./string_builder.ts";

/** Options of {@linkcode BtfBuilder}. */
export interface BtfBuilderOptions {
  /** Order of multi-byte values; by default this machine's, as its kernel wants it. */
  order?: ByteOrder;
}

/** Collects types, with all that they refer to, and makes a BTF of them. */
export class BtfBuilder {
  /** Order of multi-byte values. */
  readonly order: ByteOrder;
  readonly #strings = new StringBuilder();
  readonly #ids = new Map<BtfType, number>();
  /** All types in the order of their ids, from 1. */
  readonly #types: BtfType[] = [];
  readonly #sink: TypeSink;
  #words: Uint32Array = new Uint32Array(256);
  #length = 0;

  /** A BTF without types. */
  constructor(options: BtfBuilderOptions = {}) {
    this.order = options.order ?? HOST_BYTE_ORDER;
    this.#sink = { typeId: (type) => this.#idOf(type), stringOffset: (text) => this.#strings.add(text) };
  }

  /** Size in bytes of what {@linkcode BtfBuilder.encode} gives. */
  get size(): number {
    return BTF_HEADER.size + this.#length * 4 + this.#strings.size;
  }

  /** Number of ids, that of `void` included: 1 in a BTF without types. */
  get typeCount(): number {
    return this.#types.length + 1;
  }

  /** Whether a type (this very object) has been added, by itself or because another refers to it. */
  has(type: BtfType): boolean {
    return type.kind === BtfKind.Unknown || this.#ids.has(type);
  }

  /**
   * Adds a type and all that it refers to, and gives its id here. The same object is added once; two equal objects are two
   * types. (Types of one `Btf` are the same object each time.)
   *
   * The kernel resolves types in the order of their ids, and on reaching a DATASEC it wants all that its variables use to be
   * resolved ("Invalid type" otherwise). So a section's variables, with all that they use, get smaller ids than the section.
   *
   * @throws {FormatError} if a type has something that BTF cannot say, or cannot be read; nothing of it is added then.
   */
  add(type: BtfType): number {
    if (type.kind === BtfKind.Datasec && !this.#ids.has(type)) {
      for (const entry of type.entries) this.#addWhole(entry.type);
    }
    return this.#addWhole(type);
  }

  /**
   * Adds a string and gives its byte offset.
   *
   * @throws {FormatError} if it has a NUL inside.
   */
  addString(text: string): number {
    return this.#strings.add(text);
  }

  /** The BTF as bytes. Adding more and encoding again is fine: ids and offsets stay. */
  encode(): Uint8Array {
    return encodeBlob(this.#words.subarray(0, this.#length), this.#strings.bytes(), this.order);
  }

  /** The id of a type; a new one is written later, which makes cycles harmless. */
  #idOf(type: BtfType): number {
    if (type.kind === BtfKind.Unknown) return 0;
    let id = this.#ids.get(type);
    if (id === undefined) {
      id = this.#types.push(type);
      this.#ids.set(type, id);
    }
    return id;
  }

  /** The id of a type, which is written with all that it refers to. */
  #addWhole(type: BtfType): number {
    const before = { types: this.#types.length, length: this.#length };
    try {
      const id = this.#idOf(type);
      // Writing a type may append the types that it refers to.
      for (let next = before.types; next < this.#types.length; next++) {
        this.#append(encodeType(this.#types[next]!, this.#sink));
      }
      return id;
    } catch (error) {
      // Ids without records would make a corrupt BTF of what others add.
      for (const unwritten of this.#types.splice(before.types)) this.#ids.delete(unwritten);
      this.#length = before.length;
      throw error;
    }
  }

  #append(record: readonly number[]): void {
    const end = this.#length + record.length;
    if (end > this.#words.length) {
      const larger = new Uint32Array(Math.max(this.#words.length * 2, end));
      larger.set(this.#words.subarray(0, this.#length));
      this.#words = larger;
    }
    this.#words.set(record, this.#length);
    this.#length = end;
  }
}

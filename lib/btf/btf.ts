/**
 * A set of BTF types, read from bytes on demand.
 *
 * Opening one checks its header and nothing else. Type headers are walked as far as a question needs, names are
 * compared as bytes, and types, strings and members are decoded when asked for: finding one struct among the hundred
 * thousand types of a kernel touches few of them. Facts: linux/btf.h, Documentation/bpf/btf.rst (Linux 7.x).
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { FormatError } from "../errors.ts";
import { BtfKind } from "../uapi/mod.ts";
import { readSections } from "./header.ts";
import { decodeType, VOID } from "./lazy/decode_type.ts";
import type { TypeSource } from "./lazy/lazy_type.ts";
import { NameIndex } from "./name_index.ts";
import { StringTable } from "./string_table.ts";
import { TypeTable } from "./type_table.ts";
import type { BtfType } from "./types.ts";
import { BTF_TYPE, infoKind, LAST_KIND } from "./wire.ts";

/** Options of {@linkcode Btf.parse}. */
export interface BtfOptions {
  /** The BTF that this one continues: the kernel's for a module's. */
  base?: Btf;
  /** How errors call this BTF: `"vmlinux"`, `section ".BTF"`. */
  what?: string;
}

/** How the C type `long` is called in BTF by clang, GCC and pahole. */
const LONG_NAMES = ["long unsigned int", "long int", "unsigned long", "long"];

/** Types that are walked at once while looking for `long`, which is among the first of a kernel's. */
const TYPES_AT_ONCE = 256;

/** What a BTF is made of, for code of this room that goes over all of it and has no time for objects. */
export interface BtfParts {
  /** Where its own types lie. */
  readonly types: TypeTable;
  /** Its own strings and those of its bases. */
  readonly strings: StringTable;
}

/** The parts of a BTF. Not for other rooms: the door does not show it. */
export let partsOf: (btf: Btf) => BtfParts;

/** A set of BTF types: a kernel's, a module's, an object's. */
export class Btf {
  static {
    partsOf = (btf) => ({ types: btf.#types, strings: btf.#strings });
  }

  /** Byte order of the blob, and so of the machine that its types describe. */
  readonly order: ByteOrder;
  /** The BTF that this one continues. */
  readonly base: Btf | undefined;
  /** How errors call this BTF. */
  readonly what: string;
  /** Id of the first type that is not the base's. */
  readonly ownStartId: number;
  readonly #strings: StringTable;
  readonly #types: TypeTable;
  readonly #names: NameIndex;
  readonly #source: TypeSource;
  readonly #memo = new Map<number, BtfType>();
  #pointerSize: number | undefined;

  private constructor(bytes: Uint8Array, base: Btf | undefined, what: string) {
    const { order, words, strings, recordSizes } = readSections(bytes, what, base !== undefined);
    if (base !== undefined && base.order !== order) {
      throw new FormatError(`${what}: is ${order}-endian but its base (${base.what}) is not`);
    }
    this.order = order;
    this.base = base;
    this.what = what;
    this.ownStartId = base?.typeCount ?? 1;
    this.#strings = new StringTable(strings, base === undefined ? undefined : base.#strings, what);
    this.#types = new TypeTable({
      words,
      recordSizes,
      strings: this.#strings,
      firstId: this.ownStartId,
      what,
    });
    this.#names = new NameIndex(this.#types, this.#strings);
    this.#source = {
      words,
      what,
      string: (offset) => this.#strings.get(offset),
      type: (id) => this.type(id),
    };
  }

  /**
   * Opens BTF. The bytes are kept, not copied (their types are, where alignment or byte order ask for it), and must
   * not change. No type is looked at yet: a broken one is an error of the call that runs into it.
   *
   * @throws {FormatError} if the header or the place of a section is malformed.
   */
  static parse(bytes: Uint8Array, options: BtfOptions = {}): Btf {
    return new Btf(bytes, options.base, options.what ?? "BTF");
  }

  /** Number of ids, that of `void` and those of the base included: ids are 0 to `typeCount - 1`. Walks all type headers. */
  get typeCount(): number {
    return this.ownStartId + this.#types.walkAll();
  }

  /** One past the last valid offset of a string, the base's strings included. */
  get stringEnd(): number {
    return this.#strings.end;
  }

  /** Size of a pointer in bytes, told by that of `long`; 8 if this BTF has none, as BPF objects may. */
  get pointerSize(): number {
    return this.#pointerSize ??= this.base?.pointerSize ?? this.#sizeOfLong() ?? 8;
  }

  /**
   * The type of an id; the same object each time.
   *
   * @throws {FormatError} if there is no such type, or it or one before it is malformed.
   */
  type(id: number): BtfType {
    if (id === 0) return VOID;
    if (id < this.ownStartId && this.base !== undefined) return this.base.type(id);
    const known = this.#memo.get(id);
    if (known !== undefined) return known;
    const type = decodeType(this.#source, id, this.#at(id));
    this.#memo.set(id, type);
    return type;
  }

  /**
   * The kind of a type, which is not decoded for it.
   *
   * @throws {FormatError} as {@linkcode Btf.type}.
   */
  kindOf(id: number): BtfKind {
    if (id === 0) return BtfKind.Unknown;
    if (id < this.ownStartId && this.base !== undefined) return this.base.kindOf(id);
    return infoKind(this.#types.words[this.#at(id) + BTF_TYPE.info]!) as BtfKind;
  }

  /**
   * Ids of all types of certain kinds, ascending, the base's left out. One pass over the headers; nothing is decoded.
   *
   * @throws {FormatError} if any type is malformed.
   */
  ownIdsOf(...kinds: readonly BtfKind[]): number[] {
    const wanted = new Uint8Array(LAST_KIND + 1);
    for (const kind of kinds) wanted[kind] = 1;
    const count = this.#types.walkAll();
    const { words, offsets } = this.#types;
    const ids: number[] = [];
    for (let index = 0; index < count; index++) {
      if (wanted[(words[offsets[index]! + BTF_TYPE.info]! >>> 24) & 0x7f] === 1) ids.push(this.ownStartId + index);
    }
    return ids;
  }

  /**
   * The name of a type, which is not decoded for it.
   *
   * @throws {FormatError} as {@linkcode Btf.type}.
   */
  nameOf(id: number): string {
    if (id === 0) return "";
    if (id < this.ownStartId && this.base !== undefined) return this.base.nameOf(id);
    return this.#strings.get(this.#types.words[this.#at(id) + BTF_TYPE.nameOff]!);
  }

  /**
   * Ids of all types called `name`, ascending, the base's included. Nameless types cannot be found.
   *
   * @param kind Only types of this kind.
   * @throws {FormatError} if any type is malformed.
   */
  findIds(name: string, kind?: BtfKind): number[] {
    return [...this.base?.findIds(name, kind) ?? [], ...this.#names.all(name, kind).map((i) => this.ownStartId + i)];
  }

  /**
   * The first type called `name`: the base's before one's own.
   *
   * @param kind Only types of this kind, and the result's type follows.
   * @throws {FormatError} if a malformed type comes before any that matches.
   */
  find<K extends BtfKind>(name: string, kind: K): Extract<BtfType, { kind: K }> | undefined;
  /** The first type called `name`, of any kind or of one that is known only when the program runs. */
  find(name: string, kind?: BtfKind): BtfType | undefined;
  find(name: string, kind?: BtfKind): BtfType | undefined {
    const inherited = this.base?.find(name, kind);
    if (inherited !== undefined) return inherited;
    const index = this.#names.first(name, kind);
    return index < 0 ? undefined : this.type(this.ownStartId + index);
  }

  /**
   * Ids of all types whose name without its flavour is `essentialName`, ascending, the base's included. An index over all
   * names is built on the first call; functions have one of their own, left alone as long as nobody asks for them.
   *
   * @param kinds Only types of these kinds; any kind if there are none.
   * @throws {FormatError} if any type is malformed.
   */
  findEssential(essentialName: string, ...kinds: BtfKind[]): number[] {
    const inherited = this.base?.findEssential(essentialName, ...kinds) ?? [];
    return [...inherited, ...this.#names.essential(essentialName, kinds).map((index) => this.ownStartId + index)];
  }

  /**
   * All types but `void` in the order of their ids, the base's included unless `firstId` leaves them out.
   *
   * @throws {FormatError} on reaching a malformed type.
   */
  *types(firstId: number = 1): Iterable<BtfType> {
    for (let id = Math.max(1, firstId); id < this.ownStartId; id++) yield this.type(id);
    for (let id = Math.max(this.ownStartId, firstId); this.#has(id); id++) yield this.type(id);
    this.#types.check();
  }

  /**
   * The string at a byte offset into the strings of the base and of this BTF.
   *
   * @throws {FormatError} if the offset is outside.
   */
  string(offset: number): string {
    return this.#strings.get(offset);
  }

  #at(id: number): number {
    if (!(Number.isInteger(id) && id >= this.ownStartId)) {
      throw new FormatError(`${this.what}: type id ${id} does not exist: ids start at 0`);
    }
    return this.#types.at(id - this.ownStartId);
  }

  #has(id: number): boolean {
    return id - this.ownStartId < this.#types.walk(id - this.ownStartId + 1);
  }

  /** One pass for all names, since an object may have few of them, or none. */
  #sizeOfLong(): number | undefined {
    const { words, offsets } = this.#types;
    let count = 0;
    for (let from = 0; (count = this.#types.walk(from + TYPES_AT_ONCE)) > from; from = count) {
      for (let index = from; index < count; index++) {
        const at = offsets[index]!;
        if (infoKind(words[at + BTF_TYPE.info]!) !== BtfKind.Int) continue;
        const size = words[at + BTF_TYPE.sizeOrType]!;
        if ((size === 4 || size === 8) && LONG_NAMES.includes(this.nameOf(this.ownStartId + index))) return size;
      }
    }
    this.#types.check();
    return undefined;
  }
}

/**
 * Names of definitions in C text: of several of one name the second is called `NAME___2`.
 *
 * @module
 */
import { decodeText } from "../../bytes.ts";
import { BtfKind } from "../../uapi/mod.ts";
import { BTF_TYPE, infoKind, infoVlen } from "../wire.ts";
import { NameCounts } from "./name_counts.ts";
import { rawString, type RawTypes } from "./raw_types.ts";
import type { TextBuffer } from "./text_buffer.ts";

/** Names as they are written; each counts from when it is first asked for. */
export class CNames {
  readonly #types: RawTypes;
  readonly #out: TextBuffer;
  /** By id: the how-manieth of its name it is; 0: not known yet. */
  readonly #copies: Uint32Array;
  /** Names of structs, unions and enums. */
  readonly #tags: NameCounts;
  /** Names of typedefs and of values of enums, which share a name space. */
  readonly #idents: NameCounts;
  /** Names that look like copies, but are the BTF's own. */
  readonly #ownCopies: ReadonlySet<string>;

  /** @param exact Never give a name that the BTF has itself; bpftool does not care. */
  constructor(types: RawTypes, out: TextBuffer, exact: boolean) {
    this.#types = types;
    this.#out = out;
    this.#copies = new Uint32Array(types.count);
    this.#tags = new NameCounts(types.strings);
    this.#idents = new NameCounts(types.strings);
    this.#ownCopies = exact ? namesOfCopies(types.strings) : new Set();
  }

  /** Writes the name of a struct, union, enum, or integer, whose record is at word `at`. */
  tag(id: number, at: number): void {
    this.#write(this.#types.words[at]!, this.#copyOf(id, at, this.#tags));
  }

  /** Writes the name of a typedef. */
  typedef(id: number, at: number): void {
    this.#write(this.#types.words[at]!, this.copyOfTypedef(id, at));
  }

  /** Writes the name of an enum's value. */
  value(nameAt: number): void {
    this.#write(nameAt, this.#count(nameAt, this.#idents));
  }

  /** Counts an integer's name, which is a type's as well. */
  countInt(id: number, at: number): void {
    this.#copyOf(id, at, this.#tags);
  }

  /** The how-manieth of its name a typedef is. */
  copyOfTypedef(id: number, at: number): number {
    return this.#copyOf(id, at, this.#idents);
  }

  /** Writes what follows a name of which there are several. */
  suffix(copy: number): void {
    if (copy <= 1) return;
    this.#out.ascii("___");
    this.#out.decimal(copy);
  }

  #write(nameAt: number, copy: number): void {
    this.#out.copy(this.#types.strings, nameAt);
    if (copy > 1) this.suffix(copy);
  }

  #copyOf(id: number, at: number, names: NameCounts): number {
    const known = this.#copies[id]!;
    if (known !== 0) return known;
    const { words } = this.#types;
    const nameAt = words[at]!;
    if (nameAt === 0) return 1;
    const info = words[at + BTF_TYPE.info]!;
    const kind = infoKind(info);
    // Declarations do not define their name.
    const declares = kind === BtfKind.Fwd || (kind === BtfKind.Enum && infoVlen(info) === 0);
    return this.#copies[id] = declares ? 1 : this.#count(nameAt, names);
  }

  #count(nameAt: number, names: NameCounts): number {
    let copy = names.add(nameAt);
    if (copy === 1 || this.#ownCopies.size === 0) return copy;
    const name = rawString(this.#types, nameAt);
    while (this.#ownCopies.has(`${name}___${copy}`)) copy = names.add(nameAt);
    return copy;
  }
}

/** Names that end like those of copies; flavours of types in objects look so. */
function namesOfCopies(strings: Uint8Array): Set<string> {
  const names = new Set<string>();
  for (let end = strings.indexOf(0, 1); end >= 0; end = strings.indexOf(0, end + 1)) {
    let at = end;
    while (isDigit(strings[at - 1]!)) at--;
    if (at === end || strings[at - 1] !== 0x5f || strings[at - 2] !== 0x5f || strings[at - 3] !== 0x5f) continue;
    names.add(decodeText(strings, strings.lastIndexOf(0, end - 1) + 1, end));
  }
  return names;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

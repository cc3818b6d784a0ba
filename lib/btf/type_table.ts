/**
 * Where each type of a BTF lies. Types have different sizes and no directory, so finding the n-th means stepping over
 * those before it; this is done once, in pieces, as far as somebody asks.
 *
 * @module
 */
import { FormatError } from "../errors.ts";
import type { StringTable } from "./string_table.ts";
import { BTF_TYPE, infoKind, infoVlen, type RecordSizes } from "./wire.ts";

/** What {@linkcode TypeTable} walks over. */
export interface TypeTableSource {
  /** The type section. */
  readonly words: Uint32Array;
  readonly recordSizes: RecordSizes;
  readonly strings: StringTable;
  /** Id of the first type. */
  readonly firstId: number;
  /** How errors call the BTF. */
  readonly what: string;
}

/** A name to look for, on the way. */
export interface NameQuery {
  /** The name's bytes; not empty. */
  readonly name: Uint8Array;
  /** The kind that the type must have; {@linkcode ANY_KIND} for any. */
  readonly kind: number;
}

/** Any kind, where a kind is asked for. */
export const ANY_KIND = -1;

/** Looks for nothing. */
const NO_QUERY: NameQuery = { name: new Uint8Array(1), kind: -2 };

/** Word offsets of the types walked so far. Indices count from the first own type: `id - firstId`. */
export class TypeTable {
  /** The type section. */
  readonly words: Uint32Array;
  /**
   * Word offset by index; valid below {@linkcode count}. As long as it can ever get: pages that nobody touches cost
   * nothing, and the loop that fills it needs no branch for growing.
   */
  readonly offsets: Uint32Array;
  readonly #source: TypeTableSource;
  #count = 0;
  /** Where the first type that isn't walked yet lies. */
  #next = 0;
  #failure: FormatError | undefined;

  /** Walks nothing yet. */
  constructor(source: TypeTableSource) {
    this.#source = source;
    this.words = source.words;
    this.offsets = new Uint32Array(Math.floor(source.words.length / BTF_TYPE.words));
  }

  /** Number of types walked. */
  get count(): number {
    return this.#count;
  }

  /** Walks until `limit` types are known, or to the end or a broken type; gives the number of types known. */
  walk(limit: number): number {
    // Once all are known there is nothing to step over, however often the count is asked for.
    const more = this.#next < this.words.length && this.#failure === undefined;
    if (more && this.#count < limit) this.#step(this.#count, limit, NO_QUERY);
    return this.#count;
  }

  /**
   * Walks to the end; gives the number of types.
   *
   * @throws {FormatError} if the section is broken somewhere.
   */
  walkAll(): number {
    this.walk(this.offsets.length);
    this.check();
    return this.#count;
  }

  /**
   * Fails if the walk ran into a broken type, so that an answer that depends on the types behind it is never given.
   *
   * @throws {FormatError} naming the type.
   */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Index of the first type from `from` on that `query` describes, or -1; walks where nobody has yet. */
  scan(from: number, query: NameQuery): number {
    for (let start = from;;) {
      const index = this.#step(start, this.offsets.length, query);
      if (index < 0 || this.#source.strings.equals(this.words[this.offsets[index]!]!, query.name)) return index;
      start = index + 1;
    }
  }

  /**
   * Word offset of the type at `index`.
   *
   * @throws {FormatError} if there is no such type.
   */
  at(index: number): number {
    if (index >= this.walk(index + 1)) {
      this.check();
      const { firstId, what } = this.#source;
      throw new FormatError(
        `${what}: type id ${firstId + index} does not exist: ids end at ${firstId + this.#count - 1}`,
      );
    }
    return this.offsets[index]!;
  }

  /**
   * Steps over records from index `from` (at most {@linkcode count}) on, to `limit` or to the first that may be what
   * `query` describes: of its kind, with its first two bytes, or named in the base. Gives its index, or -1.
   *
   * A process that has just started runs this before any compiler has seen it, and it is most of the time of its first
   * look-up. Hence one loop for stepping over new types, over known ones, and for comparing (two take twice as long to become
   * fast), without calls, and without a branch that is taken late: the compiler would have left it out, and starts again.
   */
  #step(from: number, limit: number, query: NameQuery): number {
    const { words, recordSizes: { fixed, perElement }, strings: { bytes, start } } = this.#source;
    const { offsets } = this;
    const wantedKind = query.kind;
    const first = query.name[0]!;
    const second = query.name[1] ?? 0;
    const stop = Math.min(limit, offsets.length);
    const last = words.length - BTF_TYPE.words;
    let at = from < this.#count ? offsets[from]! : this.#next;
    let index = from;
    let size = 0;
    let found = -1;
    while (index < stop && at <= last) {
      const info = words[at + 1]!;
      const kind = (info >>> 24) & 0x7f;
      size = fixed[kind]! + (info & 0xffffff) * perElement[kind]!;
      if (size === 0) break;
      offsets[index++] = at;
      at += size;
      if (kind === wantedKind || wantedKind === ANY_KIND) {
        const name = words[at - size]! - start;
        if (name < 0 || ((bytes[name]! ^ first) | (bytes[name + 1]! ^ second)) === 0) {
          found = index - 1;
          break;
        }
      }
    }
    if (at > words.length) {
      at -= size;
      index--;
      found = -1;
    }
    if (index > this.#count) {
      this.#count = index;
      this.#next = at;
    }
    if (found < 0 && index < limit && at < words.length) this.#failure ??= this.#explain(at);
    return found;
  }

  /** Why the walk cannot go on at word offset `at`. */
  #explain(at: number): FormatError {
    const { words, recordSizes, firstId, what } = this.#source;
    const place = `${what}: type id ${firstId + this.#count} at offset ${at * 4} of the type section`;
    if (at + BTF_TYPE.words > words.length) return new FormatError(`${place} is cut off by the section's end`);
    const info = words[at + BTF_TYPE.info]!;
    const kind = infoKind(info);
    if (recordSizes.fixed[kind] === 0) {
      return new FormatError(`${place} has the unknown kind ${kind}, which hides all types behind it`);
    }
    return new FormatError(`${place} (kind ${kind}, ${infoVlen(info)} elements) is cut off by the section's end`);
  }
}

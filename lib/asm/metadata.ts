/**
 * Typed metadata of an instruction.
 *
 * What ELF and BTF say about an instruction (its symbol, source line, function, CO-RE relocation, the map it refers to) is
 * attached to the instruction itself, so that joining two programs is joining two arrays. This file knows only the idea
 * of a typed key; each room defines the keys of its own concepts.
 *
 * @module
 */

/** The name of one kind of metadata and the type of its values; keys are compared by identity. */
export class MetadataKey<T> {
  /** What the key is called in messages. */
  readonly name: string;
  /** Carries `T` for the type checker; never set. */
  declare readonly valueType: T;

  /**
   * A key of its own, equal to no other of the same name.
   *
   * @param name What the key is called in messages.
   */
  constructor(name: string) {
    this.name = name;
  }
}

/**
 * An immutable set of values by key: an instruction and its copies share one until either of them changes, which
 * makes a new set. Instructions carry few values, so a short list beats a map in memory and in time.
 */
export class Metadata {
  /** No values. */
  static readonly EMPTY: Metadata = new Metadata([]);
  readonly #entries: readonly (readonly [MetadataKey<unknown>, unknown])[];

  private constructor(entries: readonly (readonly [MetadataKey<unknown>, unknown])[]) {
    this.#entries = entries;
  }

  /** Number of values. */
  get size(): number {
    return this.#entries.length;
  }

  /** The value of `key`, or `undefined`. */
  get<T>(key: MetadataKey<T>): T | undefined {
    const entries = this.#entries;
    for (let i = 0; i < entries.length; i++) {
      if (entries[i]![0] === key) return entries[i]![1] as T;
    }
    return undefined;
  }

  /** This set with `key` set to `value`; `undefined` removes it. Setting what is there already gives this set itself. */
  with<T>(key: MetadataKey<T>, value: T | undefined): Metadata {
    if (Object.is(this.get(key), value)) return this;
    const others = this.#entries.filter((entry) => entry[0] !== key);
    if (value === undefined) return others.length === 0 ? Metadata.EMPTY : new Metadata(others);
    return new Metadata([...others, [key, value]]);
  }

  /** All keys and values, in the order in which they were set. */
  entries(): Iterable<readonly [MetadataKey<unknown>, unknown]> {
    return this.#entries;
  }
}

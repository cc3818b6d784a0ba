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
 * makes a new set. Instructions carry few values, so a chain in which each value holds those set before beats a map or a
 * list, in memory and in time: adding a value makes one object.
 */
export class Metadata {
  /** No values. */
  static readonly EMPTY: Metadata = new Metadata(undefined, undefined, undefined);
  /** Undefined only in the empty set, which ends every chain. */
  readonly #key: MetadataKey<unknown> | undefined;
  readonly #value: unknown;
  readonly #rest: Metadata | undefined;

  private constructor(key: MetadataKey<unknown> | undefined, value: unknown, rest: Metadata | undefined) {
    this.#key = key;
    this.#value = value;
    this.#rest = rest;
  }

  /** Number of values. */
  get size(): number {
    return this.#rest === undefined ? 0 : this.#rest.size + 1;
  }

  /** The value of `key`, or `undefined`. */
  get<T>(key: MetadataKey<T>): T | undefined {
    if (this.#key === key) return this.#value as T;
    // The empty set at the end has no key, and no value.
    for (let node = this.#rest; node !== undefined; node = node.#rest) {
      if (node.#key === key) return node.#value as T;
    }
    return undefined;
  }

  /** This set with `key` set to `value`; `undefined` removes it. Setting what is there already gives this set itself. */
  with<T>(key: MetadataKey<T>, value: T | undefined): Metadata {
    const known = this.get(key);
    if (Object.is(known, value)) return this;
    const others = known === undefined ? this : this.#without(key);
    return value === undefined ? others : new Metadata(key, value, others);
  }

  /** All keys and values, in the order in which they were set. */
  entries(): Iterable<readonly [MetadataKey<unknown>, unknown]> {
    return this.#key === undefined || this.#rest === undefined
      ? []
      : [...this.#rest.entries(), [this.#key, this.#value] as const];
  }

  #without(key: MetadataKey<unknown>): Metadata {
    if (this.#rest === undefined) return this;
    if (this.#key === key) return this.#rest;
    return new Metadata(this.#key, this.#value, this.#rest.#without(key));
  }
}

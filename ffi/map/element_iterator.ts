/**
 * Going through a map's elements.
 *
 * @module
 */
import type { BlockReader } from "./block_reader.ts";

/**
 * Iterates over what is made of each element. (A class with a `next` of its own: a generator costs half as much again as
 * reading and decoding an element.)
 */
export class ElementIterator<T> extends Iterator<T, undefined> {
  readonly #reader: BlockReader;
  readonly #make: (reader: BlockReader, index: number) => T;
  #index = 0;
  #done = false;

  /**
   * @param reader Reads the elements.
   * @param make Makes the result of the element at an index of the reader's block.
   */
  constructor(reader: BlockReader, make: (reader: BlockReader, index: number) => T) {
    super();
    this.#reader = reader;
    this.#make = make;
  }

  override next(): IteratorResult<T, undefined> {
    if (this.#done) return { done: true, value: undefined };
    const reader = this.#reader;
    if (this.#index >= reader.count) {
      if (!reader.read()) {
        this.#done = true;
        return { done: true, value: undefined };
      }
      this.#index = 0;
    }
    return { done: false, value: this.#make(reader, this.#index++) };
  }

  override return(): IteratorResult<T, undefined> {
    this.#done = true;
    return { done: true, value: undefined };
  }
}

/**
 * Records in the ring's own memory, for as long as a batch lasts.
 *
 * @module
 */

/**
 * Records where the kernel wrote them. When the batch is disposed of their space is given back and the views die: one that
 * is used later throws a `TypeError`, so that nobody reads what the kernel has overwritten meanwhile.
 *
 * The first batch costs V8 an assumption: reading typed arrays takes somewhat longer in the whole program from then on
 * (a raw record 6 ns instead of 4).
 */
export class RecordBatch implements Iterable<DataView>, Disposable {
  /** One view for each record. */
  readonly records: readonly DataView[];
  #end: (() => void) | undefined;

  /**
   * Takes over views.
   *
   * @param records The views.
   * @param end Lets them die.
   */
  constructor(records: readonly DataView[], end: () => void) {
    this.records = records;
    this.#end = end;
  }

  /** How many records there are. */
  get length(): number {
    return this.records.length;
  }

  /** The records in order. */
  [Symbol.iterator](): IterableIterator<DataView> {
    return this.records[Symbol.iterator]();
  }

  /** Ends the batch. Doing so again does nothing. */
  [Symbol.dispose](): void {
    const end = this.#end;
    this.#end = undefined;
    end?.();
  }
}

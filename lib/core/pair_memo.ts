/**
 * Answers about pairs of types that were given already.
 *
 * @module
 */
import type { BtfType } from "../btf/mod.ts";

/**
 * Remembers answers during one comparison. Types that refer twice to a type that refers twice to another ... would be
 * compared 2^depth times; hostile BTF is made like this.
 */
export class PairMemo {
  readonly #answers = new Map<BtfType, Map<BtfType, boolean>>();

  /** The answer for the pair, from `compute` the first time. */
  answer(local: BtfType, target: BtfType, compute: () => boolean): boolean {
    let answers = this.#answers.get(local);
    if (answers === undefined) this.#answers.set(local, answers = new Map());
    let answer = answers.get(target);
    if (answer === undefined) answers.set(target, answer = compute());
    return answer;
  }
}

/**
 * The words of a command, taken one after the other. As with bpftool a keyword may be cut short.
 *
 * @module
 */
import { UsageError } from "../command.ts";

/** Words that are left. */
export class Words {
  readonly #words: readonly string[];
  #next = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  /** The next word, if there is one. */
  peek(): string | undefined {
    return this.#words[this.#next];
  }

  /**
   * Takes the next word.
   *
   * @param what What it is, for the message.
   * @throws {UsageError} if there is none.
   */
  take(what: string): string {
    const word = this.#words[this.#next];
    if (word === undefined) throw new UsageError(`${what} is missing`);
    this.#next++;
    return word;
  }

  /** Takes the next word if it is one of the keywords or the beginning of one, and gives the whole keyword. */
  keyword<K extends string>(...keywords: K[]): K | undefined {
    const word = this.peek();
    if (word === undefined || word === "") return undefined;
    const keyword = keywords.find((one) => one.startsWith(word));
    if (keyword !== undefined) this.#next++;
    return keyword;
  }

  /**
   * Takes a number: an id.
   *
   * @throws {UsageError} if the next word is none.
   */
  id(what: string): number {
    const word = this.take(what);
    const number = /^(0x[0-9a-f]+|[0-9]+)$/i.test(word) ? Number(word) : NaN;
    if (!(number <= 0xffffffff)) throw new UsageError(`${what}: "${word}" is not an id`);
    return number;
  }

  /** @throws {UsageError} if there is a word left. */
  end(): void {
    const word = this.peek();
    if (word !== undefined) throw new UsageError(`unexpected argument "${word}"`);
  }
}

/**
 * A line of assembly as tokens, and errors that say where on it something is wrong.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";

/** A word of a line. */
export interface Token {
  /** What it is; `end` stands behind the last one. */
  readonly kind: "name" | "number" | "sign" | "end";
  /** Its text; of a quoted name what the quotes hold. */
  readonly text: string;
  /** Which of several labels of this name is meant: the `2` of `loop@2`; else 0. */
  readonly instance: number;
  /** Column of its first character, from 1. */
  readonly column: number;
}

const STRING = '"(?:[^"\\\\]|\\\\.)*"';
const NAME = "[A-Za-z_.$][\\w.$]*";

/** A name as it is written, with what tells labels of one name apart. */
const WRITTEN_NAME = `(?:${STRING}|${NAME})(?:@\\d+)?`;

/** Comments come before operators, operators that begin with a letter before names, longer ones before shorter ones. */
const TOKEN = new RegExp(
  "\\s*(?:(?<end>;.*|//.*|)$|(?<number>0[xX][0-9a-fA-F]+|\\d+)" +
    "|(?<sign>s>>=|s/=|s%=|s>=|s<=|s>|s<|<<=|>>=|[-+*/|&%^=!<>]=|[-+*/=<>&()\\[\\],:#])" +
    `|(?<name>kernel-function|${WRITTEN_NAME}))`,
  "y",
);

const LABEL = new RegExp(`\\s*(${WRITTEN_NAME}):`, "y");
const SLOT = /\s*\d+:/y;
const OPCODE = /\s*\(([0-9a-f]{2})\)/y;
const PLAIN_NAME = new RegExp(`^${NAME}$`);

/** A name as {@linkcode Line} reads it: quoted where it is not plain. */
export function writeName(name: string, instance: number = 0): string {
  return (PLAIN_NAME.test(name) ? name : JSON.stringify(name)) + (instance === 0 ? "" : `@${instance}`);
}

/** One line: labels, a slot number and an opcode in front, then tokens to be taken one by one. */
export class Line {
  /** The labels that stand in front. */
  readonly labels: readonly Token[];
  /** The opcode in brackets that the verifier prints, if it is there. */
  readonly opcode: number | undefined;
  readonly #place: (column: number) => string;
  readonly #tokens: readonly Token[];
  #next = 0;

  /**
   * @param text The line, without its line break.
   * @param place How errors call a column of it.
   * @throws {FormatError} at a character that begins no token.
   */
  constructor(text: string, place: (column: number) => string) {
    this.#place = place;
    const labels: Token[] = [];
    let at = 0;
    const take = (pattern: RegExp): RegExpExecArray | null => {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (match !== null) at = pattern.lastIndex;
      return match;
    };
    for (let match = take(LABEL); match !== null; match = take(LABEL)) {
      const written = match[1]!;
      labels.push(this.#name(written, at - written.length));
    }
    take(SLOT);
    const opcode = take(OPCODE);
    this.opcode = opcode === null ? undefined : Number.parseInt(opcode[1]!, 16);
    this.labels = labels;
    const tokens: Token[] = [];
    for (let done = false; !done;) {
      const from = at;
      const groups = take(TOKEN)?.groups;
      if (groups === undefined) {
        const column = from + text.slice(from).search(/\S/) + 1;
        throw new FormatError(`${place(column)}: "${text[column - 1]}" begins no word of assembly`);
      }
      const { number, sign, name } = groups;
      const column = at - (number ?? sign ?? name ?? groups.end ?? "").length + 1;
      if (name !== undefined) tokens.push(this.#name(name, column));
      else if (number !== undefined) tokens.push({ kind: "number", text: number, instance: 0, column });
      else if (sign !== undefined) tokens.push({ kind: "sign", text: sign, instance: 0, column });
      else {
        tokens.push({ kind: "end", text: "", instance: 0, column });
        done = true;
      }
    }
    this.#tokens = tokens;
  }

  #name(written: string, column: number): Token {
    const [, plain = "", instance = ""] = /^(".*"|[^@]*)(?:@(\d+))?$/.exec(written)!;
    let text = plain;
    if (plain.startsWith('"')) {
      try {
        text = JSON.parse(plain) as string;
      } catch {
        throw new FormatError(`${this.#place(column)}: ${plain} is no string of JSON, which quoted names are`);
      }
    }
    return { kind: "name", text, instance: Number(instance), column };
  }

  /** The token that is to be taken next. */
  get next(): Token {
    return this.#tokens[this.#next]!;
  }

  /** The token behind the next one. */
  get afterNext(): Token | undefined {
    return this.#tokens[this.#next + 1];
  }

  /** Takes the next token, whatever it is. */
  take(): Token {
    const token = this.next;
    if (token.kind !== "end") this.#next++;
    return token;
  }

  /** Takes the next token if its text is `text`. */
  accept(text: string): boolean {
    if (this.next.kind === "end" || this.next.text !== text) return false;
    this.#next++;
    return true;
  }

  /** Takes the next tokens, whose texts must be these. */
  expect(...texts: readonly string[]): void {
    for (const text of texts) if (!this.accept(text)) throw this.expected(`"${text}"`);
  }

  /** Takes an operator; gives what `meanings` says of it. */
  takeSign<T>(meanings: ReadonlyMap<string, T>, what: string): T {
    const meaning = this.next.kind === "sign" ? meanings.get(this.next.text) : undefined;
    if (meaning === undefined) throw this.expected(what);
    this.#next++;
    return meaning;
  }

  /** Takes a name. */
  name(what: string): Token {
    if (this.next.kind !== "name") throw this.expected(what);
    return this.take();
  }

  /** The error that something else should stand here. */
  expected(what: string): FormatError {
    const { kind, text } = this.next;
    return this.error(`expected ${what}, not ${kind === "end" ? "the end of the line" : `"${text}"`}`);
  }

  /** An error at `token`, by default the next one. */
  error(problem: string, token: Token = this.next): FormatError {
    return new FormatError(`${this.#place(token.column)}: ${problem}`);
  }

  /** @throws {FormatError} if anything is left. */
  end(): void {
    if (this.next.kind !== "end") throw this.expected("the end of the line");
  }
}

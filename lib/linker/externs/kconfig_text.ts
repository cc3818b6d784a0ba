/**
 * Text of kernel configurations: lines like `CONFIG_HZ=250`. Others (comments, blank lines) mean nothing.
 *
 * @module
 */
import { LinkError } from "../../errors.ts";

/** An option as a text has it. */
export interface KconfigLine {
  /** What is behind the `=`. */
  readonly value: string;
  /** The text, and the line's number in it, for errors. */
  readonly place: string;
}

const PREFIX = "CONFIG_";

/**
 * The options that `names` asks for; of several lines for one option the first counts, as with libbpf.
 *
 * @param text The text.
 * @param what What to call it in errors: a path.
 * @param names The options.
 * @throws {LinkError} for an option without a value, asked for or not.
 */
export function findOptions(text: string, what: string, names: ReadonlySet<string>): Map<string, KconfigLine> {
  const found = new Map<string, KconfigLine>();
  let number = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    number++;
    if (text.startsWith(PREFIX, start)) {
      const line = text.slice(start, end);
      const place = `${what}, line ${number}`;
      const equals = line.indexOf("=");
      if (equals < 0) throw new LinkError(`${place}: "${line}" has no value: write ${line.trim()}=VALUE`);
      const name = line.slice(0, equals);
      const value = line.slice(equals + 1);
      if (value === "") throw new LinkError(`${place}: "${line}" has no value: write ${name}=VALUE`);
      if (names.has(name) && !found.has(name)) found.set(name, { value, place });
    }
    start = end + 1;
  }
  return found;
}

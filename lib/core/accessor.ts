/**
 * Accessor strings: the path that clang wrote down for an access, `"0:1:2"`. The first number is pointer arithmetic on
 * the root type, each further one picks a member (by position) or an array element.
 *
 * @module
 */
import { RelocationError } from "../errors.ts";

/** Most numbers in an accessor, and most steps that a search in the target may take: libbpf's limit. */
export const MAX_ACCESS_STEPS = 64;

/** Gives the numbers of an accessor string. */
export type AccessorParser = (text: string) => readonly number[];

/** A parser that does each string once: the accesses of an object have few. */
export function rememberAccessors(): AccessorParser {
  const known = new Map<string, readonly number[]>();
  return (text) => {
    let indexes = known.get(text);
    if (indexes === undefined) known.set(text, indexes = parseAccessor(text));
    return indexes;
  };
}

const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * The numbers of an accessor string.
 *
 * @throws {RelocationError} if it is not numbers below 2^31 with single colons between, or more than 64 of them.
 */
export function parseAccessor(text: string): number[] {
  const indexes: number[] = [];
  let value = -1;
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? COLON : text.charCodeAt(i);
    if (code >= ZERO && code <= NINE) {
      value = (value < 0 ? 0 : value * 10) + (code - ZERO);
      if (value > 0x7fffffff) throw broken(text, "has a number over 2147483647");
    } else if (code === COLON && value >= 0) {
      if (indexes.length === MAX_ACCESS_STEPS) throw broken(text, `has more than ${MAX_ACCESS_STEPS} numbers`);
      indexes.push(value);
      value = -1;
    } else {
      throw broken(text, "is not numbers with single colons between");
    }
  }
  return indexes;
}

function broken(text: string, why: string): RelocationError {
  return new RelocationError(`accessor ${JSON.stringify(text)} ${why}: the object's .BTF.ext is corrupt`);
}

/**
 * Stand-in for `jsr:@std/assert`, over `node:assert/strict` and `node:util`: only functions that the real package
 * has, with its signatures and results (messages differ). Not published.
 *
 * @module
 */
import { AssertionError as NativeAssertionError } from "node:assert/strict";
import { inspect } from "node:util";
import { equal } from "./equal.ts";

export { equal } from "./equal.ts";
export { assertIsError, assertRejects, assertThrows } from "./throws.ts";
export { AssertionError } from "./assertion_error.ts";
import { AssertionError } from "./assertion_error.ts";

/** A class whose instances are `T`. */
type ClassOf<T> = abstract new (...args: never[]) => T;

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Asserts that `expr` is falsy. */
export function assertFalse(expr: unknown, msg = ""): void {
  if (expr) throw new AssertionError(msg || "Expected a falsy value");
}

/** Asserts that the two have the same structure and the same values. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  failWith("Values are not equal", msg, difference(actual, expected));
}

/** Asserts that the two differ in structure or in a value. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  failWith(`Expected actual: ${show(actual)} not to be: ${show(expected)}`, msg);
}

/** Asserts that the two are the same value (`Object.is`). */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T {
  if (Object.is(actual, expected)) return;
  failWith("Values are not strictly equal", msg, difference(actual, expected));
}

/** Asserts that the two are not the same value (`Object.is`). */
export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!Object.is(actual, expected)) return;
  failWith(`Expected "actual" to not be strictly equal to: ${show(actual)}`, msg);
}

/** Asserts that `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (expected.test(actual)) return;
  failWith(`Expected actual: ${show(actual)} to match: ${expected}`, msg);
}

/** Asserts that `expected` is a part of `actual`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (actual.includes(expected)) return;
  failWith(`Expected actual: ${show(actual)} to contain: ${show(expected)}`, msg);
}

/** Asserts that each item of `expected` equals one of `actual`. */
export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, msg?: string): void {
  const items = Array.from(actual);
  const missing = Array.from(expected).filter((wanted) => !items.some((item) => equal(item, wanted)));
  if (missing.length > 0) failWith(`Expected actual: ${show(items)} to include: ${show(missing)}`, msg);
}

/** Asserts that `actual` is neither undefined nor null. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  failWith(`Expected actual: ${show(actual)} to not be null or undefined`, msg);
}

/** Asserts that `actual` is an instance of `expectedType`. */
export function assertInstanceOf<T>(actual: unknown, expectedType: ClassOf<T>, msg = ""): asserts actual is T {
  if (actual instanceof expectedType) return;
  failWith(`Expected object to be an instance of "${expectedType.name}" but was ${show(actual)}`, msg);
}

/** Asserts that `actual` > `expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) failWith(`Expect ${show(actual)} > ${show(expected)}`, msg);
}

/** Asserts that `actual` >= `expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual >= expected)) failWith(`Expect ${show(actual)} >= ${show(expected)}`, msg);
}

/** Asserts that `actual` < `expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) failWith(`Expect ${show(actual)} < ${show(expected)}`, msg);
}

/** Asserts that `actual` <= `expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual <= expected)) failWith(`Expect ${show(actual)} <= ${show(expected)}`, msg);
}

/** Asserts that `actual` is at most `tolerance` (default: a ten-millionth of `expected`) away from `expected`. */
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, msg?: string): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  if (Math.abs(expected - actual) <= allowed) return;
  failWith(`Expected actual: "${actual}" to be close to "${expected}" (tolerance ${allowed})`, msg);
}

/** Fails. */
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${msg ? `: ${msg}` : "."}`);
}

/** Marks a place that control cannot reach. */
export function unreachable(reason?: string): never {
  throw new AssertionError(reason ?? "Unreachable");
}

function failWith(what: string, msg: string | undefined, detail = ""): never {
  throw new AssertionError(`${what}${msg ? `: ${msg}` : "."}${detail}`);
}

function show(value: unknown): string {
  return inspect(value, { depth: 10, maxArrayLength: 100, breakLength: 120 });
}

/** Node's own picture of what differs. */
function difference(actual: unknown, expected: unknown): string {
  const { message } = new NativeAssertionError({ actual, expected, operator: "deepStrictEqual" });
  return `\n\n${message}\n`;
}

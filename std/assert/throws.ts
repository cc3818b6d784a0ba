/**
 * Assertions on what a function throws.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { AssertionError } from "./assertion_error.ts";

/** A class of errors. */
type ErrorClassOf<E extends Error> = abstract new (...args: never[]) => E;

/** Asserts that `error` is an instance of `ErrorClass` whose message contains (or matches) `msgMatches`. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: ErrorClassOf<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  const suffix = suffixOf(msg);
  if (!(error instanceof Error)) {
    throw new AssertionError(`Expected "error" to be an Error object${suffix}`);
  }
  if (ErrorClass && !(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${ErrorClass.name}", but was "${error.constructor.name}" (${error.message})${suffix}`,
    );
  }
  if (msgMatches === undefined) return;
  const text = stripVTControlCharacters(error.message);
  const matches = typeof msgMatches === "string"
    ? text.includes(stripVTControlCharacters(msgMatches))
    : msgMatches.test(text);
  if (!matches) {
    throw new AssertionError(
      `Expected error message to include ${JSON.stringify(String(msgMatches))}, but got ${
        JSON.stringify(text)
      }${suffix}`,
    );
  }
}

/** Asserts that `fn` throws, and gives what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that `fn` throws an `ErrorClass` whose message contains `msgIncludes`, and gives it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClassOf<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  classOrMsg?: ErrorClassOf<E> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const want = expectationOf(classOrMsg, msgIncludes, msg);
  try {
    fn();
  } catch (error) {
    return accept(error, want);
  }
  throw new AssertionError(`Expected function to throw${suffixOf(want.msg)}`);
}

/** Asserts that the promise of `fn` rejects, and gives the reason. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Asserts that the promise of `fn` rejects with an `ErrorClass` whose message contains `msgIncludes`, and gives it. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClassOf<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: ErrorClassOf<E> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const want = expectationOf(classOrMsg, msgIncludes, msg);
  let isPromise = false;
  try {
    const result = fn();
    isPromise = typeof result === "object" && result !== null && "then" in result;
    await result;
  } catch (error) {
    // A function that throws at once did not reject.
    if (!isPromise) throw new AssertionError(`Function throws when expected to reject${suffixOf(want.msg)}`);
    return accept(error, want);
  }
  throw new AssertionError(`Expected function to reject${suffixOf(want.msg)}`);
}

interface Expectation<E extends Error> {
  readonly errorClass: ErrorClassOf<E> | undefined;
  readonly includes: string | undefined;
  readonly msg: string | undefined;
}

function expectationOf<E extends Error>(
  classOrMsg: ErrorClassOf<E> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): Expectation<E> {
  if (typeof classOrMsg === "string") return { errorClass: undefined, includes: undefined, msg: classOrMsg };
  return { errorClass: classOrMsg, includes: msgIncludes, msg };
}

function accept<E extends Error>(error: unknown, { errorClass, includes, msg }: Expectation<E>): unknown {
  if (!errorClass) return error;
  if (!(error instanceof Error)) throw new AssertionError(`A non-Error object was thrown or rejected${suffixOf(msg)}`);
  assertIsError(error, errorClass, includes, msg);
  return error;
}

function suffixOf(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}

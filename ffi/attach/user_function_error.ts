/**
 * Why a program cannot be attached to a function of a user program.
 *
 * @module
 */
import { DebpfError } from "../../lib/errors.ts";

/**
 * What is wrong.
 *
 * - `"no-file"`: there is no such file, or it cannot be read
 * - `"not-program"`: the file is no program or library of this machine
 * - `"missing"`: the file has no such function or probe
 * - `"stripped"`: nobody knows: names were taken from the file, and there is no debug file
 * - `"imported"`: the file only calls it: it is in a library
 * - `"indirect"`: there are several, of which one is chosen when the program starts
 * - `"ambiguous"`: there are several of that name
 * - `"outside"`: the address is not in the code
 * - `"inside"`: the address is in the middle of an instruction
 */
export type UserFunctionProblem =
  | "no-file"
  | "not-program"
  | "missing"
  | "stripped"
  | "imported"
  | "indirect"
  | "ambiguous"
  | "outside"
  | "inside";

/** What a {@linkcode UserFunctionError} carries. */
export interface UserFunctionErrorOptions extends ErrorOptions {
  /** The file. */
  readonly path: string;
  /** What is wrong. */
  readonly problem: UserFunctionProblem;
  /** What may have been meant instead, the closest first. */
  readonly candidates?: readonly string[];
}

/** A function or probe of a user program that a BPF program cannot be attached to, and why. */
export class UserFunctionError extends DebpfError {
  /** Name of the class. */
  override readonly name = "UserFunctionError";
  /** The file. */
  readonly path: string;
  /** What is wrong. */
  readonly problem: UserFunctionProblem;
  /** What may have been meant instead, the closest first: names; offsets in the file of functions that share a name. */
  readonly candidates: readonly string[];

  /**
   * Takes the message as it is.
   *
   * @param message The sentence, with the place first.
   * @param options File, problem, candidates.
   */
  constructor(message: string, options: UserFunctionErrorOptions) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.path = options.path;
    this.problem = options.problem;
    this.candidates = options.candidates ?? [];
  }
}

/**
 * Why a program cannot be attached to a kernel function.
 *
 * @module
 */
import { DebpfError } from "../../lib/errors.ts";

/**
 * What is wrong with a function's name.
 *
 * - `"missing"`: neither the kernel nor a loaded module has it
 * - `"renamed"`: the compiler made other functions of it: `NAME.isra.0`, `NAME.constprop.0`, `NAME.llvm.123`, `NAME.part.0`,
 *   `NAME.cold`
 * - `"inlined"`: the kernel's BTF knows it, but its code is only inside its callers'
 * - `"ambiguous"`: there are several of that name
 * - `"untraceable"`: it is there, but the kernel does not let it be traced
 */
export type KernelFunctionProblem = "missing" | "renamed" | "inlined" | "ambiguous" | "untraceable";

/** What a {@linkcode KernelFunctionError} carries. */
export interface KernelFunctionErrorOptions extends ErrorOptions {
  /** The function that was asked for: `do_unlinkat`, `nf_tables:nft_do_chain`. */
  readonly function: string;
  /** What is wrong with it. */
  readonly problem: KernelFunctionProblem;
  /** What may have been meant instead, the closest first. */
  readonly candidates?: readonly string[];
}

/** A kernel function that a program cannot be attached to, and why. */
export class KernelFunctionError extends DebpfError {
  /** Name of the class. */
  override readonly name = "KernelFunctionError";
  /** The function that was asked for. */
  readonly function: string;
  /** What is wrong with it. */
  readonly problem: KernelFunctionProblem;
  /** What may have been meant instead, the closest first: names of functions; addresses of those that share a name. */
  readonly candidates: readonly string[];

  /**
   * Takes the message as it is.
   *
   * @param message The sentence, with the place first.
   * @param options Function, problem, candidates.
   */
  constructor(message: string, options: KernelFunctionErrorOptions) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.function = options.function;
    this.problem = options.problem;
    this.candidates = options.candidates ?? [];
  }
}

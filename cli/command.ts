/**
 * What a command of the command line is: a usage text, and a function from arguments to an exit code.
 *
 * @module
 */
import type { Output } from "./output.ts";

/** Exit codes, as design promises them to scripts. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** What every command gets besides its own arguments. */
export interface Context {
  /** Where results and errors go. */
  readonly output: Output;
}

/** A command: `debpf WORD ...`. */
export interface Command {
  /** Usage and options: what `debpf help WORD` prints. */
  readonly usage: string;
  /** Does it, and gives the exit code. Errors are thrown. */
  run(args: string[], context: Context): number | Promise<number>;
}

/** Arguments that make no sense: the message says why; exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

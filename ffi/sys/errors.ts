/**
 * What goes wrong in the kernel.
 *
 * @module
 */
import { DebpfError } from "../../lib/errors.ts";
import { errnoName, errnoText } from "./errno.ts";

/** What a {@linkcode SyscallError} may say beside call and error number. */
export interface SyscallErrorOptions extends ErrorOptions {
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** What was worked on, for the start of the message: `map "events"`. */
  readonly place?: string | undefined;
  /** Size in bytes of the whole verifier log, where the kernel tells it (6.4). */
  readonly logTrueSize?: number | undefined;
}

/** A system call that failed: which, why, and what to do about it. */
export class SyscallError extends DebpfError {
  /** Name of the class. */
  override readonly name = "SyscallError";
  /** The call: `"bpf(BPF_MAP_CREATE)"`, `"open(/sys/kernel/btf/vmlinux)"`. */
  readonly call: string;
  /** Error number: `1`. */
  readonly errno: number;
  /** Name of the error number: `"EPERM"`. */
  readonly code: string;
  /** What to do about it; empty where there is nothing to say. */
  readonly hint: string;
  /** Size in bytes of the whole verifier log, where the kernel tells it (6.4). */
  readonly logTrueSize: number | undefined;

  /**
   * Makes the message of what failed, why and what to do.
   *
   * @param call The call with what it was about: `"bpf(BPF_MAP_CREATE)"`.
   * @param errno The error number, positive.
   * @param options Hint, place, cause.
   */
  constructor(call: string, errno: number, options: SyscallErrorOptions = {}) {
    const { hint = "", place } = options;
    const text = errnoText(errno);
    const error = text === "" ? errnoName(errno) : `${errnoName(errno)} (${text})`;
    super(`${place === undefined ? "" : `${place}: `}${call}: ${error}${hint === "" ? "" : `: ${hint}`}`, options);
    this.call = call;
    this.errno = errno;
    this.code = errnoName(errno);
    this.hint = hint;
    this.logTrueSize = options.logTrueSize;
  }

  /** The same error, its message beginning with what was worked on: `map "events"`. */
  at(place: string): SyscallError {
    const { hint, logTrueSize } = this;
    return new SyscallError(this.call, this.errno, { hint, logTrueSize, place, cause: this });
  }
}

/** What a {@linkcode VerifierError} carries. */
export interface VerifierErrorOptions extends ErrorOptions {
  /** The whole log. */
  readonly log: string;
  /** Name of the program. */
  readonly programName: string;
}

/** A program that the kernel's verifier refuses. The message holds the lines that matter, `log` holds all. */
export class VerifierError extends DebpfError {
  /** Name of the class. */
  override readonly name = "VerifierError";
  /** The whole log of the verifier. */
  readonly log: string;
  /** Name of the program. */
  readonly programName: string;

  /**
   * Takes the message as it is.
   *
   * @param message The lines that matter, with the place first.
   * @param options Log, program, cause.
   */
  constructor(message: string, options: VerifierErrorOptions) {
    super(message, options);
    this.log = options.log;
    this.programName = options.programName;
  }
}

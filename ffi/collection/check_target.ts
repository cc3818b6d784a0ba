/**
 * Whether this kernel has what a program is loaded for, without loading it.
 *
 * @module
 */
import { DebpfError } from "../../lib/errors.ts";
import type { ProgramSpec } from "../../lib/spec/mod.ts";
import { attachTarget } from "./attach_target.ts";

/**
 * Why a program cannot be loaded for the kernel function or type that its section name says; `undefined` if it can, or is loaded
 * for none.
 *
 * @throws {SyscallError} if the kernel cannot be asked.
 */
export function missingTarget(spec: ProgramSpec): Error | undefined {
  using opened = new DisposableStack();
  try {
    attachTarget(spec, undefined, opened);
    return undefined;
  } catch (error) {
    if (error instanceof DebpfError) return error;
    throw error;
  }
}

/**
 * What a program would be loaded for in this kernel, without loading it.
 *
 * @module
 */
import type { SkippedTarget } from "../../lib/core/mod.ts";
import { DebpfError } from "../../lib/errors.ts";
import type { ProgramSpec } from "../../lib/spec/mod.ts";
import { attachTarget } from "./attach_target.ts";

/**
 * BTF id of the kernel function or type that a program is loaded for, as its section name says; 0 if it is loaded for none; or
 * why this kernel does not have it.
 *
 * @param skipped Told of a module whose BTF cannot be read: it is skipped.
 * @throws {SyscallError} if the kernel cannot be asked.
 */
export function attachTargetId(spec: ProgramSpec, skipped?: SkippedTarget): number | Error {
  using opened = new DisposableStack();
  try {
    return attachTarget(spec, undefined, opened, { skipped }).attachBtfId;
  } catch (error) {
    if (error instanceof DebpfError) return error;
    throw error;
  }
}

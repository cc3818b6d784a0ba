/**
 * The rooms that ask the kernel, loaded only when a command needs one.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";

/** The room of system calls. */
export type Sys = typeof import("../../ffi/sys/mod.ts");

/** Whether the kernel can be asked. */
export async function hasKernel(): Promise<boolean> {
  return (await import("../../ffi/sys/mod.ts")).ffiAvailable();
}

/**
 * The room of system calls.
 *
 * @throws {UnsupportedError} without `--allow-ffi`.
 */
export async function kernelCalls(): Promise<Sys> {
  const sys = await import("../../ffi/sys/mod.ts");
  if (sys.ffiAvailable()) return sys;
  throw new UnsupportedError("--allow-ffi", "what the running kernel holds needs Linux and --allow-ffi");
}

/**
 * The room of the kernel's BTF.
 *
 * @throws {UnsupportedError} without `--allow-ffi`.
 */
export async function kernelBtf(): Promise<typeof import("../../ffi/btf/mod.ts")> {
  await kernelCalls();
  return await import("../../ffi/btf/mod.ts");
}

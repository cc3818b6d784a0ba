/**
 * Files that a user names, read through libc when FFI is allowed, else with `--allow-read`.
 *
 * @module
 */
import type { SyscallError } from "../ffi/sys/mod.ts";
import { UsageError } from "./command.ts";

const NO_SUCH_FILE = "no such file";
const FORBIDDEN = "its permissions forbid this user to read it";
const DIRECTORY = "is a directory, not a file";

/**
 * The bytes of a file.
 *
 * @throws {Error} naming the file and why it cannot be read.
 */
export async function readFile(path: string): Promise<Uint8Array> {
  if (path === "") throw new UsageError("an empty file name");
  const { ffiAvailable, readFile, SyscallError } = await import("../ffi/sys/mod.ts");
  try {
    return ffiAvailable() ? readFile(path) : await Deno.readFile(path);
  } catch (error) {
    throw new Error(`${path}: ${error instanceof SyscallError ? syscallReason(error) : denoReason(error)}`, {
      cause: error,
    });
  }
}

/** The bytes of a file of which only parts are needed: mapped where FFI is allowed, else read. Closing it ends them. */
export async function viewFile(path: string): Promise<{ readonly bytes: Uint8Array } & Disposable> {
  const { ffiAvailable, mapFile } = await import("../ffi/sys/mod.ts");
  if (path !== "" && ffiAvailable()) {
    try {
      return mapFile(path);
    } catch {
      // Reading it says why.
    }
  }
  return { bytes: await readFile(path), [Symbol.dispose]: () => {} };
}

/** Why a file cannot be read, when libc says so. */
function syscallReason({ code, message }: SyscallError): string {
  if (code === "ENOENT") return NO_SUCH_FILE;
  if (code === "EACCES") return FORBIDDEN;
  return code === "EISDIR" ? DIRECTORY : message;
}

/** Why a file cannot be read, when Deno says so. */
function denoReason(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) return "reading it needs --allow-ffi or --allow-read";
  if (error instanceof Deno.errors.NotFound) return NO_SUCH_FILE;
  if (error instanceof Deno.errors.PermissionDenied) return FORBIDDEN;
  if (error instanceof Deno.errors.IsADirectory) return DIRECTORY;
  return error instanceof Error ? error.message : String(error);
}

/**
 * Files that a command makes, written through libc when FFI is allowed, else with `--allow-write`.
 *
 * @module
 */

/** Whether there is a directory of that name. */
export async function isDirectory(path: string): Promise<boolean> {
  const { ffiAvailable, readDir } = await import("../../ffi/sys/mod.ts");
  try {
    if (!ffiAvailable()) return (await Deno.stat(path)).isDirectory;
    readDir(path);
    return true;
  } catch {
    return false;
  }
}

/** Makes a directory, unless it is there. Those above it have to be. */
export async function makeDirectory(path: string): Promise<void> {
  if (await isDirectory(path)) return;
  const { ffiAvailable, mkdir } = await import("../../ffi/sys/mod.ts");
  if (ffiAvailable()) mkdir(path);
  else await refused(path, () => Deno.mkdir(path));
}

/** Writes a file, in the place of one that is there. */
export async function writeFile(path: string, bytes: Uint8Array): Promise<void> {
  const { ffiAvailable, OpenFlag, writeFile } = await import("../../ffi/sys/mod.ts");
  if (ffiAvailable()) writeFile(path, new Uint8Array(bytes), OpenFlag.O_CREAT | OpenFlag.O_TRUNC);
  else await refused(path, () => Deno.writeFile(path, bytes));
}

async function refused(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new Error(`${path}: writing it needs --allow-ffi or --allow-write`, { cause: error });
  }
}

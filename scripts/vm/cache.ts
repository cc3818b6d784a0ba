/**
 * Where what was fetched and built for virtual machines is kept: `DEBPF_VM_CACHE`, or .cache/vm in the repository.
 *
 * @module
 */
import { dirname, fromFileUrl, join } from "@std/path";

/** The repository's folder. */
export const ROOT: string = fromFileUrl(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** A path in the cache. */
export function cached(...parts: string[]): string {
  return join(Deno.env.get("DEBPF_VM_CACHE") ?? join(ROOT, ".cache", "vm"), ...parts);
}

/** Is there something at `path`? */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/**
 * Makes what is not there yet. `make` gets another path, which becomes `path` when it is done: an interrupted one
 * leaves nothing that looks whole.
 */
export async function once(path: string, make: (unfinished: string) => Promise<void>): Promise<string> {
  if (await exists(path)) return path;
  await Deno.mkdir(dirname(path), { recursive: true });
  const folder = await Deno.makeTempDir({ dir: dirname(path), prefix: "unfinished-" });
  try {
    const unfinished = join(folder, "result");
    await make(unfinished);
    await Deno.rename(unfinished, path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return path;
}

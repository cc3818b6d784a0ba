/**
 * Options of a kernel's configuration that a user gives in a file.
 *
 * @module
 */
import { readFile } from "./files.ts";

/** The text of the file that `--kconfig` names. */
export async function readKconfig(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : new TextDecoder().decode(await readFile(path));
}

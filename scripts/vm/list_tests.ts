/**
 * Prints the tests of files, without running them: `list_tests.ts FILE...` gives one JSON object, names by file. A file that
 * cannot be imported has none.
 *
 * @module
 */
import { resolve, toFileUrl } from "@std/path";

let names: string[] = [];

/** Takes note of a test, however it is defined. */
function note(...args: readonly unknown[]): void {
  for (const arg of args) {
    if (typeof arg === "string") return void names.push(arg);
    if (typeof arg !== "object" && typeof arg !== "function") continue;
    const name = (arg as { readonly name?: string } | null)?.name;
    if (name) return void names.push(name);
  }
}

if (import.meta.main) {
  const test = Object.assign(note, Deno.test);
  Object.defineProperty(Deno, "test", { value: Object.assign(test, { ignore: note, only: note }) });
  // What the tests print while they are defined is not for us.
  const { log } = console;
  console.log = () => {};
  const found: Record<string, string[]> = {};
  for (const file of Deno.args) {
    names = [];
    if (await import(toFileUrl(resolve(file)).href).then(() => true, () => false)) found[file] = names;
  }
  log(JSON.stringify(found));
  Deno.exit(0);
}

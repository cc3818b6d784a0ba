/**
 * Names of TypeScript types.
 *
 * @module
 */

/** What a type of TypeScript must not be called, and global types that the text itself uses. */
const RESERVED: ReadonlySet<string> = new Set(
  ("any as async await bigint boolean break case catch class const continue debugger declare default delete do else enum " +
    "export extends false finally for function if implements import in infer instanceof interface is keyof let never new " +
    "null number object of package private protected public readonly Record return static string super switch symbol this " +
    "throw true try type typeof Uint8Array undefined unique unknown var void while with yield").split(" "),
);

/** Gives each name once; `struct a` and `union a` are two types in C, and so `a` and `a___2`. */
export class TsNames {
  readonly #taken = new Set<string>();

  /** A name like `name` that was not given before. */
  take(name: string): string {
    let usable = name.replaceAll(/[^\w$]/g, "_");
    if (/^\d/.test(usable) || RESERVED.has(usable)) usable = `_${usable}`;
    let unique = usable;
    for (let copy = 2; this.#taken.has(unique); copy++) unique = `${usable}___${copy}`;
    this.#taken.add(unique);
    return unique;
  }
}

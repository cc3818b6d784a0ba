/**
 * The repository's own files.
 *
 * @module
 */
import { join } from "@std/path";
import { inRepository } from "../support/mod.ts";

/** One file, by its path in the repository. */
export interface Source {
  /** Path, with slashes. */
  readonly path: string;
  /** Its text. */
  readonly text: string;
}

/** TypeScript files in some folders (or single files), in order of their paths. */
export function sourcesIn(...roots: string[]): Source[] {
  const paths = roots.flatMap((root) => root.endsWith(".ts") ? [root] : [...walk(root)]);
  return paths.sort().map((path) => ({ path, text: Deno.readTextFileSync(inRepository(path)) }));
}

function* walk(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(inRepository(folder))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* walk(path);
    else if (entry.isFile && path.endsWith(".ts")) yield path;
  }
}

/** `path:line: text` of every line of `sources` that `pattern` matches. */
export function linesThatMatch(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])
  );
}

/** The same, without lines that are comments: those may speak of anything. */
export function codeThatMatches(sources: readonly Source[], pattern: RegExp): string[] {
  return linesThatMatch(sources, new RegExp(`^(?!\\s*(?:\\*|//|/\\*)).*(?:${pattern.source})`));
}

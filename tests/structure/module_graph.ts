/**
 * The module graph, as `deno info --json` tells it.
 *
 * @module
 */
import { join } from "@std/path";
import { inRepository, ROOT, run } from "../support/mod.ts";

/** One file imports another. */
export interface Arrow {
  /** Path in the repository. */
  readonly from: string;
  /** Path in the repository, or a specifier like `node:zlib`. */
  readonly to: string;
}

/** What is wanted of deno info's output. */
interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string; readonly error?: string };
      readonly type?: { readonly specifier?: string; readonly error?: string };
    }[];
  }[];
}

/** All arrows that begin in one of the files; imports of types count, and literal `import()`s. */
export async function arrowsFrom(paths: readonly string[]): Promise<Arrow[]> {
  // deno info takes one entry: a file that imports them all, outside of the repository.
  const dir = await Deno.makeTempDir();
  const entry = join(dir, "all.ts");
  const root = new URL("../../", import.meta.url);
  await Deno.writeTextFile(
    entry,
    paths.map((path) => `import ${JSON.stringify(new URL(path, root).href)};\n`).join(""),
  );
  const args = ["info", "--json", "--config", inRepository("deno.json"), entry];
  const { code, stdout, stderr } = await run(Deno.execPath(), args, { cwd: ROOT });
  await Deno.remove(dir, { recursive: true });
  if (code !== 0) throw new Error(`deno info failed: ${stderr}`);
  const wanted = new Set(paths);
  const local = (specifier: string) => specifier.startsWith(root.href) ? specifier.slice(root.href.length) : specifier;
  return (JSON.parse(stdout) as Info).modules.flatMap((module) => {
    const from = local(module.specifier);
    if (!wanted.has(from)) return [];
    if (module.error) throw new Error(`${from}: ${module.error}`);
    return (module.dependencies ?? []).map((dependency) => {
      const target = dependency.code ?? dependency.type;
      return { from, to: local(target?.specifier ?? dependency.specifier) };
    });
  });
}

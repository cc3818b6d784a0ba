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
      readonly isDynamic?: boolean;
    }[];
  }[];
}

const REPOSITORY = new URL("../../", import.meta.url);

function local(specifier: string): string {
  return specifier.startsWith(REPOSITORY.href) ? specifier.slice(REPOSITORY.href.length) : specifier;
}

/** What `deno info` says of all that the files import. */
async function modulesOf(paths: readonly string[]): Promise<Info["modules"]> {
  // deno info takes one entry: a file that imports them all, outside of the repository.
  const dir = await Deno.makeTempDir();
  const entry = join(dir, "all.ts");
  await Deno.writeTextFile(
    entry,
    paths.map((path) => `import ${JSON.stringify(new URL(path, REPOSITORY).href)};\n`).join(""),
  );
  const args = ["info", "--json", "--config", inRepository("deno.json"), entry];
  const { code, stdout, stderr } = await run(Deno.execPath(), args, { cwd: ROOT });
  await Deno.remove(dir, { recursive: true });
  if (code !== 0) throw new Error(`deno info failed: ${stderr}`);
  return (JSON.parse(stdout) as Info).modules;
}

/** All arrows that begin in one of the files; imports of types count, and literal `import()`s. */
export async function arrowsFrom(paths: readonly string[]): Promise<Arrow[]> {
  const wanted = new Set(paths);
  return (await modulesOf(paths)).flatMap((module) => {
    const from = local(module.specifier);
    if (!wanted.has(from)) return [];
    if (module.error) throw new Error(`${from}: ${module.error}`);
    return (module.dependencies ?? []).map((dependency) => {
      const target = dependency.code ?? dependency.type;
      return { from, to: local(target?.specifier ?? dependency.specifier) };
    });
  });
}

/** Paths of all that runs when `path` is imported: not what only types or `import()`s lead to. */
export async function loadedBy(path: string): Promise<string[]> {
  const all = new Map((await modulesOf([path])).map((module) => [local(module.specifier), module]));
  const loaded = new Set([path]);
  for (const from of loaded) {
    for (const { code, isDynamic } of all.get(from)?.dependencies ?? []) {
      if (code?.specifier !== undefined && !isDynamic) loaded.add(local(code.specifier));
    }
  }
  return [...loaded];
}

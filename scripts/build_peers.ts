/**
 * Builds the programs that tests/peer and tests/bench compare with: an oracle, a bench and a linker, over the newest libbpf that
 * Debian has.
 *
 * `deno run -A scripts/build_peers.ts [FOLDER]` (default: `DEBPF_PEERS`, or .cache/peers)
 *
 * Debian 12's own libbpf (1.1) differs where it matters: usdt, uprobe.multi, tcx, unresolved weak kfuncs. Needs gcc,
 * libelf-dev, zlib1g-dev, and apt for what fetch_deb.ts fetches. What is built already is left alone.
 *
 * @module
 */
import { join, resolve } from "@std/path";
import { command } from "./command.ts";
import { fetchDeb } from "./fetch_deb.ts";

const ARCH: Partial<Record<typeof Deno.build.arch, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** libbpf.a was built against a newer glibc: the same functions, under the names that an older one has. */
const GLIBC_NAMES = `
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
int __isoc23_sscanf(const char *s, const char *f, ...)
{ va_list a; va_start(a, f); int r = vsscanf(s, f, a); va_end(a); return r; }
int __isoc23_fscanf(FILE *s, const char *f, ...)
{ va_list a; va_start(a, f); int r = vfscanf(s, f, a); va_end(a); return r; }
unsigned long long __isoc23_strtoull(const char *s, char **e, int b) { return strtoull(s, e, b); }
unsigned long __isoc23_strtoul(const char *s, char **e, int b) { return strtoul(s, e, b); }
long __isoc23_strtol(const char *s, char **e, int b) { return strtol(s, e, b); }
`;

/** Programs by their source. */
const PEERS: ReadonlyMap<string, string> = new Map([
  ["libbpf-oracle", "tests/peer/libbpf_oracle.c"],
  ["libbpf-bench", "tests/peer/libbpf_bench.c"],
  ["libbpf-link", "tests/peer/libbpf_link.c"],
  ["libbpf-attach-user", "tests/peer/libbpf_attach_user.c"],
]);

async function build(out: string): Promise<void> {
  for (const [name, source] of PEERS) {
    const program = join(out, name);
    if (!await isNewer(program, source)) await buildPeer(program, source, out);
  }
}

async function buildPeer(program: string, source: string, out: string): Promise<void> {
  const arch = ARCH[Deno.build.arch];
  if (!arch) throw new Error(`no Debian architecture is known for ${Deno.build.arch}`);
  const libbpf = join(out, "libbpf");
  const archive = await findArchive(libbpf) ?? await fetchArchive(libbpf, arch, join(out, "deb"));
  const names = join(out, "glibc_names.c");
  await Deno.writeTextFile(names, GLIBC_NAMES);
  const include = join(libbpf, "usr/include");
  await command("gcc", ["-O2", "-w", `-I${include}`, "-o", program, source, names, archive, "-lelf", "-lz"]);
  console.log(`built ${program}`);
}

async function fetchArchive(libbpf: string, arch: string, cache: string): Promise<string> {
  await fetchDeb({ suite: "sid", arch, out: libbpf, patterns: ["libbpf-dev"], cache });
  const archive = await findArchive(libbpf);
  if (!archive) throw new Error("Debian's libbpf-dev has no libbpf.a");
  return archive;
}

async function findArchive(folder: string): Promise<string | undefined> {
  const libraries = join(folder, "usr/lib");
  const triplets = await Array.fromAsync(Deno.readDir(libraries)).catch(() => []);
  for (const { name } of triplets) {
    const path = join(libraries, name, "libbpf.a");
    if (await modified(path)) return path;
  }
  return undefined;
}

async function isNewer(product: string, source: string): Promise<boolean> {
  return await modified(product) > await modified(source);
}

/** When a file was written; 0 where there is none. */
async function modified(path: string): Promise<number> {
  const info = await Deno.stat(path).catch(() => undefined);
  return info?.mtime?.getTime() ?? 0;
}

if (import.meta.main) {
  const out = resolve(Deno.args[0] ?? Deno.env.get("DEBPF_PEERS") ?? ".cache/peers");
  await Deno.mkdir(out, { recursive: true });
  await build(out);
}

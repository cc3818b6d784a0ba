/**
 * Where tests find things.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";

/** The repository's folder. */
export const ROOT: string = fromFileUrl(new URL("../../", import.meta.url));

/** The path of a file in the repository. */
export function inRepository(...parts: string[]): string {
  return join(ROOT, ...parts);
}

/** The bytes of a file below testdata/. */
export function testdata(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(inRepository("testdata", name));
}

/** The folder of the peers that scripts/build_peers.ts builds: `DEBPF_PEERS`, or .cache/peers. */
export function peersDir(): string {
  return Deno.env.get("DEBPF_PEERS") ?? inRepository(".cache", "peers");
}

/** The program that prints what libbpf would load: `libbpf-oracle OBJECT [BTF]`. */
export function oraclePath(): string {
  return join(peersDir(), "libbpf-oracle");
}

/** libbpf's static linker: `libbpf-link OUT IN...`. */
export function libbpfLinkPath(): string {
  return join(peersDir(), "libbpf-link");
}

/** The path of clang 14 or 19. */
export function clangPath(version: "14" | "19"): string | undefined {
  return onPath(`clang-${version}`);
}

/** Where a program is; /usr/sbin counts, which is not on the PATH of an ordinary user. */
export function onPath(program: string): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder || ".", program)).find(isFile);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

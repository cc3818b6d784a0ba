/**
 * Fetches a kernel's packages, once, and finds the image in them.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { fetchDeb } from "../fetch_deb.ts";
import { cached, once, ROOT } from "./cache.ts";
import type { KernelPackages } from "./kernels.ts";

/** A kernel's image, on this machine. */
export interface KernelImage {
  /** Path of the image. */
  readonly path: string;
  /** What `uname -r` says in it: `6.12.118+deb13-cloud-amd64`. */
  readonly release: string;
}

/** The image of a kernel from Debian's packages for `arch`; they are fetched where the cache does not have them. */
export async function kernelImage(packages: KernelPackages & { readonly arch: string }): Promise<KernelImage> {
  const { suite, arch, patterns } = packages;
  const name = patterns.join("+").replace(/[^\w.+-]/g, "");
  const folder = await once(cached("kernels", `${suite}-${arch}`, name), async (out) => {
    await fetchDeb({ suite, arch, out, patterns, cache: join(ROOT, ".cache", "deb") });
  });
  const images = [
    ...await imagesNamed(join(folder, "boot"), /^vmlinu[xz]-/),
    ...await imagesOfModules(join(folder, "usr/lib/modules")),
  ];
  const [image] = images;
  if (!image) throw new Error(`no kernel image in the packages ${patterns.join(", ")} of ${suite}/${arch}`);
  return image;
}

async function imagesNamed(folder: string, pattern: RegExp): Promise<KernelImage[]> {
  const names = await namesIn(folder);
  return names.filter((name) => pattern.test(name)).map((name) => ({
    path: join(folder, name),
    release: name.replace(pattern, ""),
  }));
}

async function imagesOfModules(folder: string): Promise<KernelImage[]> {
  const found: KernelImage[] = [];
  for (const release of await namesIn(folder)) {
    const names = await namesIn(join(folder, release));
    const image = names.find((name) => /^vmlinu[xz]$/.test(name));
    if (image) found.push({ path: join(folder, release, image), release: basename(release) });
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

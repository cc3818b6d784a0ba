/**
 * Fetches a kernel's packages, once, and finds the image in them.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { fetchDeb } from "../fetch_deb.ts";
import { cached, exists, once, ROOT } from "./cache.ts";
import type { KernelPackages } from "./kernels.ts";

/** A kernel's image, on this machine. */
export interface KernelImage {
  /** Path of the image. */
  readonly path: string;
  /** What `uname -r` says in it: `6.12.118+deb13-cloud-amd64`. */
  readonly release: string;
  /** Paths of the modules that tests want, as far as the packages have them: `dummy.ko`, `veth.ko.xz`. */
  readonly modules: readonly string[];
  /** Path of its configuration, where the packages have it. */
  readonly config: string | undefined;
}

/**
 * Modules by folder, in the order of loading: network devices that are nothing but software, what runs programs on them, and
 * connection tracking (functions for programs) behind what it needs.
 */
const MODULES: Readonly<Record<string, readonly string[]>> = {
  "kernel/drivers/net": ["dummy", "veth"],
  "kernel/net/ipv4/netfilter": ["nf_defrag_ipv4"],
  "kernel/net/sched": ["act_bpf", "cls_bpf", "sch_ingress"],
  "kernel/lib": ["libcrc32c"],
  "kernel/net/ipv6/netfilter": ["nf_defrag_ipv6"],
  "kernel/net/netfilter": ["nf_conntrack"],
};

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
  const modules = join(folder, await libFolder(folder), image.release);
  const configs = [join(folder, "boot", `config-${image.release}`), join(modules, "config")];
  const isThere = await Promise.all(configs.map(exists));
  return { ...image, modules: await modulesIn(modules), config: configs.find((_, index) => isThere[index]) };
}

/** Newer packages have modules in /usr/lib. */
async function libFolder(folder: string): Promise<string> {
  return await exists(join(folder, "usr/lib/modules")) ? "usr/lib/modules" : "lib/modules";
}

async function modulesIn(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const [folder, wanted] of Object.entries(MODULES)) {
    const names = (await namesIn(join(root, folder))).filter((name) => wanted.includes(name.split(".")[0] ?? ""));
    found.push(...names.sort().map((name) => join(root, folder, name)));
  }
  return found;
}

async function imagesNamed(folder: string, pattern: RegExp): Promise<Omit<KernelImage, "modules" | "config">[]> {
  const names = await namesIn(folder);
  return names.filter((name) => pattern.test(name)).map((name) => ({
    path: join(folder, name),
    release: name.replace(pattern, ""),
  }));
}

async function imagesOfModules(folder: string): Promise<Omit<KernelImage, "modules" | "config">[]> {
  const found: Omit<KernelImage, "modules" | "config">[] = [];
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

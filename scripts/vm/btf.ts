/**
 * Fetches the BTF of other kernels from Debian's packages, of any architecture, for tests that need no kernel.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join, resolve } from "@std/path";
import { exists, once, ROOT } from "./cache.ts";
import { extractBtf } from "./extract_btf.ts";
import { kernelImage } from "./kernel_image.ts";
import { type KernelPackages, KERNELS } from "./kernels.ts";

const USAGE = `deno task btf [NAME...] [--out DIR]

Writes NAME.btf, the BTF of a kernel, for each NAME (without: all) that DIR does not have yet.
DEBPF_BTF_DIR=DIR has the tests look at them.

  NAME       ARCH-KERNEL: amd64-5.10, arm64-7.x, s390x-7.x, ...
  --out DIR  default: .cache/btf`;

/** A kernel whose BTF is wanted; it need not be one that can be booted. */
type Source = KernelPackages & { readonly name: string; readonly arch: string };

/** s390x has the other byte order. */
const SOURCES: readonly Source[] = [
  ...KERNELS.filter(({ arch, name }) => arch === "amd64" || name === "7.x"),
  { name: "7.x", arch: "s390x", suite: "forky", patterns: ["linux-binary-7\\.[0-9.]+\\+deb14-s390x"] },
];

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["_", "out"],
    boolean: ["help"],
    default: { out: join(ROOT, ".cache/btf") },
  });
  const names = args._.map(String);
  const unknown = names.find((name) => !SOURCES.some((source) => nameOf(source) === name));
  if (args.help || unknown !== undefined) {
    console.error(
      unknown === undefined ? USAGE : `there is no ${unknown}; there are ${SOURCES.map(nameOf).join(", ")}`,
    );
    return args.help ? 0 : 2;
  }
  const out = resolve(args.out ?? "");
  for (const source of SOURCES) {
    if (names.length > 0 && !names.includes(nameOf(source))) continue;
    const path = join(out, `${nameOf(source)}.btf`);
    if (await exists(path)) continue;
    const image = await kernelImage(source);
    const btf = await extractBtf(await Deno.readFile(image.path), image.path);
    await once(path, (unfinished) => Deno.writeFile(unfinished, btf));
    console.log(`${path}: ${image.release}, ${btf.length} bytes`);
  }
  return 0;
}

function nameOf({ arch, name }: Source): string {
  return `${arch}-${name}`;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    console.error(`btf: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}

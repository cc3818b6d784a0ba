/**
 * Kernels that a user names by files of BTF: raw, or the `.BTF` section of an ELF file (a kernel image, a module).
 *
 * @module
 */
import { basename } from "@std/path/basename";
import { type Btf, openBtf } from "../lib/btf/mod.ts";
import type { CoreTarget, SkippedTarget } from "../lib/core/mod.ts";
import { FormatError, RelocationError, UnsupportedError } from "../lib/errors.ts";
import type { CollectionSpec } from "../lib/spec/mod.ts";
import { readFile } from "./files.ts";
import type { Output } from "./output.ts";

/** The word for the running kernel, where a file is asked for. */
export const RUNNING_KERNEL = "vmlinux";

/** A kernel, and the modules that were given with it. */
export interface Kernel {
  /** A short name, different from the others'. */
  readonly name: string;
  /** The file of the kernel's BTF; `vmlinux` for the running one. */
  readonly path: string;
  /** Its own types, then its modules'. */
  readonly targets: readonly CoreTarget[];
}

/**
 * The kernels that `files` name: each file that continues another BTF is a module of the kernel before it. Without files,
 * the running kernel.
 */
export async function readKernels(files: readonly string[]): Promise<Kernel[]> {
  const kernels: { path: string; targets: CoreTarget[] }[] = [];
  for (const path of files.length === 0 ? [RUNNING_KERNEL] : files) {
    if (path === RUNNING_KERNEL) {
      kernels.push({ path, targets: await runningKernel() });
      continue;
    }
    const kernel = kernels.at(-1);
    const { btf, isModule } = await openFile(path, kernel?.targets[0]?.btf);
    if (isModule && kernel !== undefined) kernel.targets.push({ name: moduleName(path), btf });
    else kernels.push({ path, targets: [{ name: shortName(path, files), btf }] });
  }
  return kernels.map(({ path, targets }) => ({ name: shortName(path, files), path, targets }));
}

/**
 * What `files` name as one kernel and its modules, whether their BTF continues the kernel's or stands alone. Without files,
 * the running kernel.
 */
export async function readTargets(files: readonly string[]): Promise<CoreTarget[]> {
  const targets: CoreTarget[] = [];
  for (const path of files.length === 0 ? [RUNNING_KERNEL] : files) {
    if (path === RUNNING_KERNEL) {
      targets.push(...await runningKernel());
      continue;
    }
    targets.push({ name: path, btf: (await openFile(path, targets[0]?.btf)).btf });
  }
  return targets;
}

/**
 * Makes sure that object and kernel are of one byte order: one sentence, and not one for each relocation.
 *
 * @throws {RelocationError} if they aren't.
 */
export function refuseOtherOrder(spec: CollectionSpec, { name, targets }: Pick<Kernel, "name" | "targets">): void {
  const order = targets[0]?.btf.order;
  if (order === undefined || order === spec.order) return;
  throw new RelocationError(
    `${spec.name} is ${spec.order}-endian and "${name}" is ${order}-endian: give BTF of a kernel with the object's byte order`,
  );
}

/** Says on stderr which modules are skipped, each once. */
export function noteSkipped(output: Output): SkippedTarget {
  const said = new Set<string>();
  return ({ name }, error) => {
    if (!said.has(name)) output.note(`${name}: skipped, its BTF is broken: ${error.message}`);
    said.add(name);
  };
}

/** A file's BTF, and whether it is a module's, which continues the BTF of the kernel before it. */
async function openFile(path: string, kernel: Btf | undefined): Promise<{ btf: Btf; isModule: boolean }> {
  const bytes = await readFile(path);
  try {
    const btf = openBtf(bytes, { what: path });
    // A module that brings the types of its kernel along.
    const isModule = btf.base !== undefined;
    return { btf: isModule && kernel !== undefined ? openBtf(bytes, { what: path, base: kernel }) : btf, isModule };
  } catch (error) {
    // A module's BTF has no empty string of its own, so it can't be taken for a kernel's.
    if (!(error instanceof FormatError) || kernel === undefined) throw error;
    try {
      return { btf: openBtf(bytes, { what: path, base: kernel }), isModule: true };
    } catch {
      throw error;
    }
  }
}

/** The running kernel and its modules. */
async function runningKernel(): Promise<CoreTarget[]> {
  const { ffiAvailable } = await import("../ffi/sys/mod.ts");
  if (!ffiAvailable()) {
    throw new UnsupportedError(
      "--allow-ffi",
      "the running kernel's BTF needs --allow-ffi and Linux; give another kernel's by --btf FILE",
    );
  }
  const { hostTargets } = await import("../ffi/btf/mod.ts");
  return hostTargets();
}

/** The file's name without its directory and `.btf`, unless two files have it. */
function shortName(path: string, all: readonly string[]): string {
  const short = (file: string) => basename(file).replace(/\.btf$/, "");
  return all.filter((other) => short(other) === short(path)).length > 1 ? path : short(path);
}

function moduleName(path: string): string {
  return basename(path).replace(/\.(ko|btf)$/, "");
}

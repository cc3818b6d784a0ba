/**
 * What CO-RE relocations are resolved against on this machine: the kernel, and its modules where the kernel lacks a type.
 *
 * @module
 */
import type { Btf } from "../../lib/btf/mod.ts";
import type { CoreTarget } from "../../lib/core/mod.ts";
import { readDir, SyscallError } from "../sys/mod.ts";
import { hostBtf, VMLINUX_BTF } from "./host.ts";
import { moduleBtf } from "./loaded.ts";

/** A module whose BTF is read when somebody asks for it: most loads never do, and there are a hundred. */
class ModuleTarget implements CoreTarget {
  readonly name: string;
  readonly #read: () => Btf;
  #btf: Btf | undefined;

  constructor(name: string, read: () => Btf) {
    this.name = name;
    this.#read = read;
  }

  get btf(): Btf {
    return this.#btf ??= this.#read();
  }
}

/** Options of {@linkcode hostTargets}. */
export interface HostTargetsOptions {
  /** Gives the BTF of a module; by default the running kernel's. */
  readonly readModule?: (name: string) => Btf;
  /** Names of the modules; by default those that the running kernel shows BTF of. */
  readonly modules?: readonly string[];
}

/**
 * The running kernel, then its modules. A module's BTF is read when a relocation asks for a type that the kernel does not
 * have; one that cannot be read is skipped by who relocates.
 *
 * @throws {UnsupportedError} if this kernel was built without BTF.
 */
export function hostTargets(options: HostTargetsOptions = {}): CoreTarget[] {
  const read = options.readModule ?? moduleBtf;
  const modules = (options.modules ?? moduleNames()).map((name) => new ModuleTarget(name, () => read(name)));
  return [{ name: "vmlinux", btf: hostBtf() }, ...modules];
}

/** Modules show their BTF beside the kernel's (5.11). */
function moduleNames(): string[] {
  try {
    const folder = VMLINUX_BTF.slice(0, VMLINUX_BTF.lastIndexOf("/"));
    return readDir(folder).map(({ name }) => name).filter((name) => name !== "vmlinux").sort();
  } catch (error) {
    // Whoever may read the kernel's BTF need not be allowed to list the folder: then the modules are left out.
    if (error instanceof SyscallError) return [];
    throw error;
  }
}

/**
 * The BTF of modules that programs refer to, as file descriptors.
 *
 * @module
 */
import { MODULE_BTF, type RelocatedProgram } from "../../lib/linker/mod.ts";
import { openModuleBtf } from "../btf/mod.ts";
import type * as sys from "../sys/mod.ts";

/** Names of the modules of whose variables or functions `programs` take the address. */
export function referredModules(programs: Iterable<RelocatedProgram | Error>): Set<string> {
  const names = new Set<string>();
  for (const program of programs) {
    if (program instanceof Error) continue;
    for (const insn of program.insns) {
      const module = insn.get(MODULE_BTF);
      if (module !== undefined) names.add(module);
    }
  }
  return names;
}

/**
 * Opens the BTF of modules that are not open yet.
 *
 * @param names Names of modules.
 * @param open Those that are open, by name; gets the others.
 * @param owned Gets what has to be closed with the collection.
 * @throws {sys.SyscallError} if the kernel refuses it: it wants CAP_SYS_ADMIN.
 */
export function openModules(names: Iterable<string>, open: Map<string, sys.Fd>, owned: DisposableStack): void {
  for (const name of names) {
    if (!open.has(name)) open.set(name, owned.use(openModuleBtf(name)));
  }
}

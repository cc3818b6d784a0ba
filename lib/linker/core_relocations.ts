/**
 * Whether a collection asks anything of a kernel's types.
 *
 * @module
 */
import { CORE_RELOCATION } from "../btf/mod.ts";
import type { CollectionSpec } from "../spec/mod.ts";

/** Has `spec` CO-RE relocations: without them no kernel's BTF is needed, and it loads on a kernel that shows none. */
export function hasCoreRelocations({ programs, functions }: CollectionSpec): boolean {
  return [...programs.values(), ...functions].some(({ instructions }) =>
    instructions.some((insn) => insn.get(CORE_RELOCATION) !== undefined)
  );
}

/**
 * Relocations in, fixups out.
 *
 * @module
 */
import type { CoreRelocation } from "../btf/mod.ts";
import { DebpfError, RelocationError } from "../errors.ts";
import type { CoreTarget } from "./candidates.ts";
import type { CoreFixup } from "./fixup.ts";
import { type RelocateOptions, Relocator } from "./relocator.ts";
import { objectOrder, relocationLabel } from "./sites.ts";

/**
 * What the relocations come to in `targets`: one fixup per relocation, in the order given. Pure: neither the relocations nor
 * the targets are changed.
 *
 * @param relocations Those of one object; they narrow each other's candidates in the order of the object.
 * @param targets The kernel first (or BTF of any kernel), then its modules, which are asked only for what the kernel lacks.
 * @param options How local type ids are found.
 * @throws {RelocationError} naming the relocation, if it is broken or ambiguous. One that only misses its target is a
 * poisoned fixup.
 */
export function relocate(
  relocations: readonly CoreRelocation[],
  targets: readonly CoreTarget[],
  options: RelocateOptions = {},
): CoreFixup[] {
  const relocator = new Relocator(targets, options);
  const fixups = new Array<CoreFixup>(relocations.length);
  for (const index of objectOrder(relocations)) {
    try {
      fixups[index] = relocator.resolve(relocations[index]!);
    } catch (error) {
      if (!(error instanceof DebpfError)) throw error;
      throw new RelocationError(`${relocationLabel(relocations[index]!)}: ${error.message}`, { cause: error });
    }
  }
  return fixups;
}

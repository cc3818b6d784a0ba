/**
 * What a linked program still lacks.
 *
 * @module
 */
import { LinkError, UnsupportedError } from "../errors.ts";
import { EXTERN, type ExternKind, type ProgramSpec, UNSUPPORTED_REFERENCE } from "../spec/mod.ts";
import type { Functions, PlacedFunction } from "./layout.ts";
import { placeOf } from "./place.ts";

/** What the field calls each kind of extern that comes from the kernel; others come from another object. */
const KERNEL_EXTERNS: ReadonlyMap<ExternKind, string> = new Map<ExternKind, string>([
  ["kconfig", "kconfig externs"],
  ["ksym", "kernel symbols (ksyms)"],
  ["ksym_var", "typed kernel symbols (ksyms)"],
  ["kfunc", "kernel functions (kfuncs)"],
]);

/**
 * Fails if an instruction of `fn` refers to something that nothing has resolved.
 *
 * @throws {UnsupportedError} naming the feature.
 * @throws {LinkError} if it is to come from another object.
 */
export function refuseUnresolved(program: ProgramSpec, fn: PlacedFunction, functions: Functions): void {
  let slot = fn.slot;
  fn.instructions.forEach((insn, index) => {
    const unsupported = insn.get(UNSUPPORTED_REFERENCE);
    if (unsupported !== undefined) {
      const place = placeOf(program, fn.instructions, index, slot);
      const { feature, symbol, section } = unsupported;
      throw new UnsupportedError(
        feature,
        `${place}: refers to "${symbol}" in section "${section}": ${feature} are not supported`,
      );
    }
    const extern = insn.get(EXTERN);
    if (extern !== undefined && functions.target(insn) === undefined) {
      const place = placeOf(program, fn.instructions, index, slot);
      const feature = KERNEL_EXTERNS.get(extern.kind);
      if (feature !== undefined) {
        throw new UnsupportedError(
          feature,
          `${place}: refers to extern "${extern.name}": ${feature} are not supported`,
        );
      }
      const kind = extern.kind === "unknown" ? "symbol" : extern.kind;
      throw new LinkError(
        `${place}: refers to extern ${kind} "${extern.name}", which no object that is linked defines`,
      );
    }
    slot += insn.slots;
  });
}

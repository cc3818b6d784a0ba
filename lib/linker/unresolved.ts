/**
 * What a linked program still lacks.
 *
 * @module
 */
import { LinkError } from "../errors.ts";
import { EXTERN, type ProgramSpec } from "../spec/mod.ts";
import { isOfKernel } from "./externs/mod.ts";
import type { Functions, PlacedFunction } from "./layout.ts";
import { placeOf } from "./place.ts";

/**
 * Fails if an instruction of `fn` refers to something that neither the linked functions nor a kernel can define.
 *
 * @throws {LinkError} if it is to come from another object.
 */
export function refuseUnresolved(program: ProgramSpec, fn: PlacedFunction, functions: Functions): void {
  let slot = fn.slot;
  fn.instructions.forEach((insn, index) => {
    const extern = insn.get(EXTERN);
    if (extern !== undefined && !isOfKernel(extern) && functions.target(insn) === undefined) {
      const place = placeOf(program, fn.instructions, index, slot);
      const kind = extern.kind === "unknown" ? "symbol" : extern.kind;
      throw new LinkError(
        `${place}: refers to extern ${kind} "${extern.name}", which no object that is linked defines`,
      );
    }
    slot += insn.slots;
  });
}

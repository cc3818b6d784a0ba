/**
 * Builders: a function for each form of instruction, typed so that what does not exist does not compile.
 *
 * @example
 * ```ts
 * import { asm, LABEL, Label, resolveReferences } from "@debpf/debpf";
 *
 * const { R0, R1, R6 } = asm;
 * const out = new Label("out");
 * const insns = resolveReferences([
 *   asm.mov64(R6, R1),
 *   asm.load("u32", R0, asm.at(R6, 16)),
 *   asm.jeq64(R0, 0, out),
 *   asm.mov64(R0, 1),
 *   asm.exit().with(LABEL, out),
 * ]);
 * console.log(insns.length); // 5
 * ```
 *
 * @module
 */
export * from "./arithmetic.ts";
export * from "./branches.ts";
export * from "./load64.ts";
export * from "./memory.ts";
export {
  type AnyRegister,
  at,
  type Operand,
  type Place,
  R0,
  R1,
  R10,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  R8,
  R9,
  Register,
  type SignedSize,
  type Size,
  type Target,
  type WritableRegister,
} from "./operands.ts";

/**
 * How errors call a place of a program.
 *
 * @module
 */
import { type Instruction, SOURCE } from "../asm/mod.ts";
import type { ProgramSpec } from "../spec/mod.ts";

/**
 * `program "x" (section "y"), instruction 14, exec.bpf.c:31`.
 *
 * @param insns The instructions of the program or function that has the instruction.
 * @param index Index of the instruction in `insns`.
 * @param slot Slot of the instruction in the linked program, as the verifier counts.
 */
export function placeOf(program: ProgramSpec, insns: readonly Instruction[], index: number, slot: number): string {
  const place = `program "${program.name}" (section "${program.section}"), instruction ${slot}`;
  for (let i = index; i >= 0; i--) {
    const source = insns[i]?.get(SOURCE);
    if (source !== undefined) return `${place}, ${source.file}:${source.line}`;
  }
  return place;
}

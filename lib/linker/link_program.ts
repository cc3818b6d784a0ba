/**
 * Joining a program and the functions that it reaches into one array of instructions.
 *
 * @module
 */
import { type Instruction, isJump, LABEL, type Label, OPCODE, REFERENCE } from "../asm/mod.ts";
import { LinkError } from "../errors.ts";
import type { FunctionSpec, ProgramSpec } from "../spec/mod.ts";
import { bindExtern, type ResolvedExterns, UNRESOLVED } from "./externs/mod.ts";
import { Functions, layOut, type PlacedFunction } from "./layout.ts";
import { placeOf } from "./place.ts";
import { refuseRecursion } from "./recursion.ts";
import { refuseUnresolved } from "./unresolved.ts";

/** Range of the 16-bit offset of a jump, in slots. */
const MAX_JUMP = 0x7fff;

/**
 * The instructions of `program`, followed by those of the functions that it calls or whose address it takes, in the
 * order in which libbpf 1.8 puts them. Calls, function pointers and jumps that carry a `REFERENCE` get their distance;
 * all metadata stays where it is, so func and line infos need no adjustment. Neither `program` nor `functions` change.
 *
 * @param program The program.
 * @param functions The functions that it may reach, of one object or of several: a call of a function that one object
 * only declares is resolved by name.
 * @param externs What externs of a kernel are in that kernel; without it, a program that has one is refused.
 * @throws {LinkError} if something that is referred to is missing, out of reach or recursive.
 * @throws {UnsupportedError} if the program refers to something that this library cannot link.
 */
export function linkProgram(
  program: ProgramSpec,
  functions: readonly FunctionSpec[],
  externs: ResolvedExterns = UNRESOLVED,
): Instruction[] {
  return linkFunctions(program, functions, externs).insns;
}

/** A linked program and what it is made of. */
export interface LinkedProgram {
  readonly insns: Instruction[];
  /** The program itself, then its functions, where they are in `insns`. */
  readonly placed: readonly PlacedFunction[];
}

/** As {@linkcode linkProgram}. */
export function linkFunctions(
  program: ProgramSpec,
  functions: readonly FunctionSpec[],
  externs: ResolvedExterns,
): LinkedProgram {
  const known = new Functions(functions);
  const placed = layOut(program, known);
  refuseRecursion(program, placed, known);
  const slots = new Map(placed.map(({ label, slot }) => [label, slot]));
  const insns: Instruction[] = [];
  for (const fn of placed) {
    refuseUnresolved(program, fn, known);
    const local = localLabels(fn);
    let slot = fn.slot;
    fn.instructions.forEach((insn, index) => {
      const labelled = index === 0 ? insn.with(LABEL, fn.label) : insn;
      const target = known.target(insn);
      if (target !== undefined && target !== "missing") {
        insns.push(labelled.edit({ imm: slots.get(target.label)! - slot - 1 }));
      } else if (isJump(insn) && insn.get(REFERENCE) !== undefined) {
        insns.push(jump(program, fn, labelled, index, slot, local));
      } else {
        insns.push(bindExtern(labelled, externs, () => placeOf(program, fn.instructions, index, slot)));
      }
      slot += insn.slots;
    });
  }
  return { insns, placed };
}

/** Slots of the labels inside of a function. */
function localLabels(fn: PlacedFunction): Map<Label, number> {
  const labels = new Map<Label, number>();
  let slot = fn.slot;
  for (const insn of fn.instructions) {
    const label = insn.get(LABEL);
    if (label !== undefined) labels.set(label, slot);
    slot += insn.slots;
  }
  return labels;
}

function jump(
  program: ProgramSpec,
  fn: PlacedFunction,
  insn: Instruction,
  index: number,
  slot: number,
  labels: ReadonlyMap<Label, number>,
): Instruction {
  const label = insn.get(REFERENCE)!;
  const target = labels.get(label);
  const place = () => placeOf(program, fn.instructions, index, slot);
  if (target === undefined) throw new LinkError(`${place()}: jumps to "${label.name}", which is not in its function`);
  const distance = target - slot - 1;
  if (insn.opcode === OPCODE.JA32) return insn.edit({ imm: distance });
  if (distance > MAX_JUMP || distance < -MAX_JUMP - 1) {
    throw new LinkError(
      `${place()}: jumps ${distance} slots to "${label.name}": a jump reaches ${MAX_JUMP}, use gotol`,
    );
  }
  return insn.edit({ offset: distance });
}

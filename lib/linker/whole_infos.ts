/**
 * Func and line infos of a linked program: for all of its functions or for none.
 *
 * @module
 */
import { type Instruction, SOURCE } from "../asm/mod.ts";
import { FUNC_INFO } from "../btf/mod.ts";
import { LinkError } from "../errors.ts";
import type { ProgramSpec } from "../spec/mod.ts";
import type { LinkedProgram } from "./link_program.ts";

/** A kind of info, and how to drop it. */
interface InfoKind {
  readonly name: string;
  readonly on: (insn: Instruction) => boolean;
  readonly drop: (insn: Instruction) => Instruction;
}

const KINDS: readonly InfoKind[] = [
  {
    name: "func_info",
    on: (insn) => insn.get(FUNC_INFO) !== undefined,
    drop: (insn) => insn.with(FUNC_INFO, undefined),
  },
  { name: "line_info", on: (insn) => insn.get(SOURCE) !== undefined, drop: (insn) => insn.with(SOURCE, undefined) },
];

/**
 * The instructions of `linked` with infos that the kernel takes: it wants a func_info and a first line_info for each
 * function, or none at all. A program without any is loaded without any (as libbpf does), whatever its functions have.
 *
 * @throws {LinkError} if the program has infos, and a function that it reaches has none.
 */
export function wholeInfos(program: ProgramSpec, linked: LinkedProgram): readonly Instruction[] {
  let insns: readonly Instruction[] = linked.insns;
  const [main, ...functions] = linked.placed;
  for (const { name, on, drop } of KINDS) {
    if (!main?.instructions.some(on)) {
      insns = insns.map(drop);
      continue;
    }
    const without = functions.find(({ instructions }) => !instructions.some(on));
    if (without !== undefined) {
      throw new LinkError(
        `program "${program.name}" (section "${program.section}"): has ${name}, but function "${without.label.name}", ` +
          "which it reaches, has none: compile all of them with -g",
      );
    }
  }
  return insns;
}

/**
 * Instructions as plain data that can be compared: labels of two programs are never equal, but they can have the same
 * names, bindings and places.
 *
 * @module
 */
import { type Instruction, LABEL, type Label, MAP, REFERENCE, SOURCE } from "../../../lib/asm/mod.ts";

/** Fields and metadata of `insns`; a label is its name, binding and number in order of appearance. */
export function described(insns: readonly Instruction[]): Record<string, unknown>[] {
  const numbers = new Map<Label, number>();
  const labelText = (label: Label | undefined) => {
    if (label === undefined) return undefined;
    if (!numbers.has(label)) numbers.set(label, numbers.size);
    return `${label.binding} ${label.name} ${numbers.get(label)}`;
  };
  return insns.map((insn) => ({
    opcode: insn.opcode,
    dst: insn.dst,
    src: insn.src,
    offset: insn.offset,
    imm: insn.imm,
    immHigh: insn.immHigh,
    label: labelText(insn.get(LABEL)),
    reference: labelText(insn.get(REFERENCE)),
    map: insn.get(MAP),
    source: sourceFields(insn),
  }));
}

/** Of a source line that is read when it is asked for, only what it says. */
function sourceFields(insn: Instruction): Record<string, unknown> | undefined {
  const source = insn.get(SOURCE);
  if (source === undefined) return undefined;
  const { file, line, column, text } = source;
  return { file, line, column, text };
}

/**
 * Jumps and calls by label: from distances to references and back.
 *
 * A distance counts slots, so it is wrong as soon as an instruction is put in between. A reference names the label
 * itself: put instructions in, take some out, join programs, and resolve once in the end.
 *
 * @module
 */
import { LinkError } from "../errors.ts";
import { Instruction } from "./instruction.ts";
import { LABEL, Label, REFERENCE, SOURCE } from "./keys.ts";
import { BPF_JMP_OP, BPF_SRC, OPCODE } from "./opcode.ts";
import { isFunctionCall, isFunctionPointer, isJump, jumpDistance } from "./predicates.ts";

/** Options of {@linkcode resolveReferences}. */
export interface ResolveOptions {
  /**
   * Whether a jump that does not fit 16 bits may become `gotol` (instruction set v4, Linux 6.6); default false. A
   * conditional one becomes the opposite jump over a `gotol`.
   */
  longJumps?: boolean;
  /** Whether `insns` is a part of a program, so that jumps may go to labels that stand elsewhere; default false. */
  partial?: boolean;
  /** How errors call an instruction; by default `instruction SLOT`, and its source line if it has one. */
  place?: (index: number) => string;
}

/** How far the 16-bit offset of a jump reaches, in slots. */
const MAX_JUMP = 0x7fff;

/** `instruction 12, exec.bpf.c:31`: the slot, and the nearest source line before it. */
function placeIn(insns: readonly Instruction[], index: number): string {
  let slot = 0;
  let line = "";
  for (let i = 0; i <= index; i++) {
    const insn = insns[i]!;
    const source = insn.get(SOURCE);
    if (source !== undefined) line = `, ${source.file}:${source.line}`;
    if (i < index) slot += insn.slots;
  }
  return `instruction ${slot}${line}`;
}

/** Slot of each instruction, and behind the last one. */
function slotsOf(insns: readonly Instruction[]): Int32Array {
  const slots = new Int32Array(insns.length + 1);
  insns.forEach((insn, i) => slots[i + 1] = slots[i]! + insn.slots);
  return slots;
}

/** The labels of a stream. */
class Labels {
  readonly #byLabel = new Map<Label, number>();
  /** Those seen from outside, by name: a strong one overrides weak ones. */
  readonly #byName = new Map<string, { readonly label: Label; readonly index: number }>();

  constructor(insns: readonly Instruction[], place: (index: number) => string) {
    insns.forEach((insn, index) => {
      const label = insn.get(LABEL);
      if (label === undefined) return;
      const other = this.#byLabel.get(label);
      if (other !== undefined) {
        throw new LinkError(
          `${place(index)}: label "${label.name}" stands here and at ${place(other)}: give a copy labels of its own`,
        );
      }
      this.#byLabel.set(label, index);
      if (label.binding === "local") return;
      const named = this.#byName.get(label.name);
      if (named?.label.binding === "global" && label.binding === "global") {
        throw new LinkError(
          `${place(index)}: global label "${label.name}" stands here and another of that name at ${place(named.index)}`,
        );
      }
      if (named === undefined || (named.label.binding === "weak" && label.binding === "global")) {
        this.#byName.set(label.name, { label, index });
      }
    });
  }

  /** Index of the instruction that a reference to `label` means. */
  find(label: Label): number | undefined {
    return label.binding === "local" ? this.#byLabel.get(label) : this.#byName.get(label.name)?.index;
  }

  /** Index of some label that has this name, for errors. */
  namesake(name: string): number | undefined {
    for (const [label, index] of this.#byLabel) if (label.name === name) return index;
    return undefined;
  }
}

/**
 * `insns` with the distance in every jump, function call and function pointer whose `REFERENCE` is a label in `insns`.
 * References to functions elsewhere are left to the linker; all metadata stays.
 *
 * @throws {LinkError} if a label stands at two places, or a jump goes to a label that stands nowhere or too far away.
 */
export function resolveReferences(insns: readonly Instruction[], options: ResolveOptions = {}): Instruction[] {
  const place = options.place ?? ((index) => placeIn(insns, index));
  const labels = new Labels(insns, place);
  const targets = insns.map((insn, index) => targetOf(insn, index, labels, place, options.partial ?? false));
  const long = options.longJumps ?? false ? longJumps(insns, targets) : new Set<number>();
  const slots = new Int32Array(insns.length + 1);
  insns.forEach((insn, i) => slots[i + 1] = slots[i]! + insn.slots + (long.has(i) ? extraSlots(insn) : 0));
  return insns.flatMap((insn, index) => {
    const target = targets[index];
    if (target === undefined) return [insn];
    // A call of a function counts from where its own slot ends, and so does a function pointer, whatever its slots.
    const distance = slots[target]! - slots[index]! - 1;
    if (long.has(index)) return lengthen(insn, distance);
    if (!isJump(insn) || insn.opcode === OPCODE.JA32) return [insn.edit({ imm: distance })];
    if (distance < -MAX_JUMP - 1 || distance > MAX_JUMP) {
      throw new LinkError(
        `${place(index)}: jumps ${distance} slots to "${insn.get(REFERENCE)!.name}" at ${
          place(target)
        }: a jump reaches ` +
          `${MAX_JUMP}, only gotol (instruction set v4) goes further`,
      );
    }
    return [insn.edit({ offset: distance })];
  });
}

function targetOf(
  insn: Instruction,
  index: number,
  labels: Labels,
  place: (index: number) => string,
  partial: boolean,
): number | undefined {
  const label = insn.get(REFERENCE);
  const jump = isJump(insn);
  if (label === undefined || !(jump || isFunctionCall(insn) || isFunctionPointer(insn))) return undefined;
  const target = labels.find(label);
  if (target === undefined && jump && !partial) {
    const namesake = labels.namesake(label.name);
    const other = namesake === undefined ? "" : `; the label of that name at ${place(namesake)} is another one`;
    throw new LinkError(`${place(index)}: jumps to label "${label.name}", which stands at no instruction${other}`);
  }
  return target;
}

/** Indices of the jumps that need `gotol`: each of them moves others apart, so it is asked until nothing changes. */
function longJumps(insns: readonly Instruction[], targets: readonly (number | undefined)[]): Set<number> {
  const long = new Set<number>();
  for (let before = -1; before !== long.size;) {
    before = long.size;
    let slot = 0;
    const slots = insns.map((insn, i) => {
      const here = slot;
      slot += insn.slots + (long.has(i) ? extraSlots(insn) : 0);
      return here;
    });
    insns.forEach((insn, index) => {
      const target = targets[index];
      if (target === undefined || !isJump(insn) || insn.opcode === OPCODE.JA32) return;
      const distance = slots[target]! - slots[index]! - 1;
      if (distance < -MAX_JUMP - 1 || distance > MAX_JUMP) long.add(index);
    });
  }
  return long;
}

/** The comparisons that are true when the other one is false; `&` has none. */
const OPPOSITE: ReadonlyMap<number, number> = new Map(
  ([
    [BPF_JMP_OP.JEQ, BPF_JMP_OP.JNE],
    [BPF_JMP_OP.JGT, BPF_JMP_OP.JLE],
    [BPF_JMP_OP.JGE, BPF_JMP_OP.JLT],
    [BPF_JMP_OP.JSGT, BPF_JMP_OP.JSLE],
    [BPF_JMP_OP.JSGE, BPF_JMP_OP.JSLT],
  ] as const).flatMap(([a, b]) => [[a, b], [b, a]]),
);

/** How many slots a jump needs beside its own to go far. */
function extraSlots(insn: Instruction): number {
  if (insn.opcode === OPCODE.JA) return 0;
  return OPPOSITE.has(insn.opcode & 0xf0) ? 1 : 2;
}

/**
 * A jump that goes far. `if r1 == 0 goto far` becomes `if r1 != 0 goto pc+1; gotol far`; what has no opposite (`&`,
 * may_goto) becomes `if r1 & 1 goto pc+1; goto pc+1; gotol far`.
 *
 * @param distance From behind the first instruction.
 */
function lengthen(insn: Instruction, distance: number): Instruction[] {
  const label = insn.get(REFERENCE);
  const far = (used: number) => Instruction.of({ opcode: OPCODE.JA32, imm: distance - used }).with(REFERENCE, label);
  if (insn.opcode === OPCODE.JA) return [insn.edit({ opcode: OPCODE.JA32, offset: 0, imm: distance })];
  const near = insn.with(REFERENCE, undefined).edit({ offset: 1 });
  const opposite = OPPOSITE.get(insn.opcode & 0xf0);
  if (opposite === undefined) return [near, Instruction.of({ opcode: OPCODE.JA, offset: 1 }), far(2)];
  return [near.edit({ opcode: opposite | insn.opcode & (BPF_SRC.X | 0x07) }), far(1)];
}

/**
 * `insns` with a `REFERENCE` in every jump, function call and function pointer that goes by distance, and a `LABEL` where
 * it goes: labels that are there are used, others are called `L` and the slot. References that are there stay.
 *
 * @throws {LinkError} if a distance goes out of `insns` or into the second slot of a 64-bit load.
 */
export function referenceJumps(insns: readonly Instruction[]): Instruction[] {
  const slots = slotsOf(insns);
  const bySlot = new Map<number, number>(insns.map((_, index) => [slots[index]!, index]));
  const names = new Set(insns.flatMap((insn) => [insn.get(LABEL)?.name, insn.get(REFERENCE)?.name]));
  const made = new Map<number, Label>();
  const references = insns.map((insn, index): Label | undefined => {
    if (insn.get(REFERENCE) !== undefined) return undefined;
    const distance = isFunctionCall(insn) || isFunctionPointer(insn) ? insn.imm : jumpDistance(insn);
    if (distance === undefined) return undefined;
    const slot = slots[index]! + 1 + distance;
    const target = bySlot.get(slot);
    if (target === undefined) {
      const what = isJump(insn) ? "jumps" : "refers";
      const where = slot >= 0 && slot < slots[insns.length]!
        ? "the second slot of a 64-bit load"
        : `of ${slots[insns.length]}`;
      throw new LinkError(`${placeIn(insns, index)}: ${what} to slot ${slot}, ${where}`);
    }
    let label = insns[target]!.get(LABEL) ?? made.get(target);
    if (label === undefined) {
      let name = `L${slot}`;
      while (names.has(name)) name += "_";
      names.add(name);
      made.set(target, label = new Label(name));
    }
    return label;
  });
  return insns.map((insn, index) => {
    const reference = references[index];
    const label = made.get(index);
    const labelled = label === undefined ? insn : insn.with(LABEL, label);
    return reference === undefined ? labelled : labelled.with(REFERENCE, reference);
  });
}

/**
 * A copy of `insns` whose labels are new ones of the same names, and whose references to them go to the copies: for code that
 * stands in a program twice, such as a function that is inlined.
 */
export function copyWithOwnLabels(insns: readonly Instruction[]): Instruction[] {
  const copies = new Map<Label, Label>();
  for (const insn of insns) {
    const label = insn.get(LABEL);
    if (label !== undefined) copies.set(label, new Label(label.name, label.binding));
  }
  return insns.map((insn) => {
    const label = insn.get(LABEL);
    const reference = insn.get(REFERENCE);
    return insn.with(LABEL, label === undefined ? undefined : copies.get(label))
      .with(REFERENCE, reference === undefined ? undefined : copies.get(reference) ?? reference);
  });
}

/**
 * Where jumps and calls go: by label or by distance.
 *
 * @module
 */
import { LinkError } from "../../errors.ts";
import type { Instruction } from "../instruction.ts";
import { LABEL, type Label, REFERENCE } from "../keys.ts";
import { isFunctionCall, isFunctionPointer, jumpDistance } from "../predicates.ts";

/** Looks up where the instructions of one stream go. */
export class Targets {
  /** Slot of each instruction. */
  readonly slots: Int32Array;
  readonly #insns: readonly Instruction[];
  readonly #bySlot: Int32Array;
  readonly #byLabel = new Map<Label, number>();
  readonly #byName = new Map<string, number>();

  constructor(insns: readonly Instruction[]) {
    this.#insns = insns;
    this.slots = new Int32Array(insns.length + 1);
    insns.forEach((insn, index) => {
      this.slots[index + 1] = this.slots[index]! + insn.slots;
      const label = insn.get(LABEL);
      if (label === undefined) return;
      this.#byLabel.set(label, index);
      if (label.binding === "global" || (label.binding === "weak" && !this.#byName.has(label.name))) {
        this.#byName.set(label.name, index);
      }
    });
    this.#bySlot = new Int32Array(this.slots[insns.length]!).fill(-1);
    insns.forEach((_, index) => this.#bySlot[this.slots[index]!] = index);
  }

  /**
   * Index of the instruction that a jump goes to; `undefined` for what is no jump, or one to an address in a register.
   *
   * @throws {LinkError} if no instruction starts there.
   */
  jump(index: number): number | undefined {
    const insn = this.#insns[index]!;
    const distance = jumpDistance(insn);
    if (distance === undefined) return undefined;
    const label = insn.get(REFERENCE);
    const target = label === undefined ? this.#at(index, distance) : this.#byLabel.get(label);
    if (target !== undefined) return target;
    const where = label === undefined ? `slot ${this.slots[index]! + 1 + distance}` : `label "${label.name}"`;
    throw new LinkError(`instruction ${this.slots[index]}: jumps to ${where}, where no instruction starts`);
  }

  /** Index of the first instruction of the function that is called or whose address is loaded, if that is in the stream. */
  function(index: number): number | undefined {
    const insn = this.#insns[index]!;
    if (!isFunctionCall(insn) && !isFunctionPointer(insn)) return undefined;
    const label = insn.get(REFERENCE);
    // A call of itself is what clang leaves of a call that is yet to be linked; no function can begin with it.
    if (label === undefined) return insn.imm === -1 ? undefined : this.#at(index, insn.imm);
    return this.#byLabel.get(label) ?? (label.binding === "local" ? undefined : this.#byName.get(label.name));
  }

  #at(index: number, distance: number): number | undefined {
    const target = this.#bySlot[this.slots[index]! + 1 + distance] ?? -1;
    return target < 0 ? undefined : target;
  }
}

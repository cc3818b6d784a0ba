/**
 * How much of the stack a function uses.
 *
 * @module
 */
import type { Instruction } from "../instruction.ts";
import { BPF_ALU_OP, BPF_ATOMIC_OP, BPF_CLASS, BPF_MODE, BPF_REG_10, BPF_SRC, OPCODE } from "../opcode.ts";
import { isCall, isLoadImm64 } from "../predicates.ts";
import type { FunctionFlow } from "./types.ts";

/**
 * Bytes of the stack that a function uses, a multiple of 8, as the kernel's verifier counts them (`stack depth` in its log):
 * up to the lowest place that is read, written or handed to a call by a pointer made from r10. Pointers are followed
 * through constants in one block; the kernel, which follows them everywhere and drops dead code, may count less or more.
 *
 * @param insns The stream.
 * @param flow The function in it.
 */
export function stackUse(insns: readonly Instruction[], flow: FunctionFlow): number {
  let lowest = 0;
  for (const block of flow.blocks) {
    if (!block.reachable) continue;
    const pointers = new StackPointers();
    for (let i = block.first; i < block.end; i++) lowest = Math.min(lowest, pointers.step(insns[i]!));
  }
  return Math.ceil(-lowest / 8) * 8;
}

/** Which registers hold an address in the stack, as distance from r10. */
class StackPointers {
  readonly #distances: (number | undefined)[] = [...Array(BPF_REG_10).fill(undefined), 0];

  /** Follows an instruction; gives the lowest distance that it uses, 0 for none. */
  step(insn: Instruction): number {
    const { opcode, dst, src, offset, imm } = insn;
    const distances = this.#distances;
    const place = (register: number) => distances[register] === undefined ? 0 : distances[register] + offset;
    if (isCall(insn) || opcode === OPCODE.CALL_X) {
      const handed = distances.slice(1, 6).map((distance) => distance ?? 0);
      distances.fill(undefined, 0, 6);
      return Math.min(0, ...handed);
    }
    switch (opcode & 0x07) {
      case BPF_CLASS.LDX: {
        const used = place(src);
        distances[dst] = undefined;
        return used;
      }
      case BPF_CLASS.ST:
        return place(dst);
      case BPF_CLASS.STX: {
        const acquire = (opcode & 0xe0) === BPF_MODE.ATOMIC && imm === BPF_ATOMIC_OP.LOAD_ACQ;
        const used = place(acquire ? src : dst);
        if ((opcode & 0xe0) === BPF_MODE.ATOMIC) this.#result(insn);
        return used;
      }
      case BPF_CLASS.ALU:
        distances[dst] = undefined;
        return 0;
      case BPF_CLASS.ALU64:
        distances[dst] = this.#arithmetic(insn);
        return 0;
      case BPF_CLASS.LD:
        if (isLoadImm64(insn)) distances[dst] = undefined;
        else distances.fill(undefined, 0, 6);
    }
    return 0;
  }

  #arithmetic({ opcode, dst, src, offset, imm }: Instruction): number | undefined {
    const constant = (opcode & BPF_SRC.X) === 0;
    const before = this.#distances[dst];
    switch (opcode & 0xf0) {
      case BPF_ALU_OP.MOV:
        return constant || offset !== 0 ? undefined : this.#distances[src];
      case BPF_ALU_OP.ADD:
        return constant && before !== undefined ? before + imm : undefined;
      case BPF_ALU_OP.SUB:
        return constant && before !== undefined ? before - imm : undefined;
    }
    return undefined;
  }

  /** The register that an atomic operation writes. */
  #result({ dst, src, imm }: Instruction): void {
    if (imm === BPF_ATOMIC_OP.CMPXCHG) this.#distances[0] = undefined;
    else if (imm === BPF_ATOMIC_OP.LOAD_ACQ) this.#distances[dst] = undefined;
    else if ((imm & BPF_ATOMIC_OP.FETCH) !== 0) this.#distances[src] = undefined;
  }
}

/**
 * What a loaded program refers to: a kernel gives its instructions back with ids and addresses in the place of names.
 *
 * Facts: `insn_prepare_dump()` and `jit_subprogs()` of the kernel (6.18): a map's fd is its id, a helper's number the
 * distance of its function from `__bpf_call_base`, a call of a function keeps its distance in `offset` and the number of the
 * function in `imm`. The words are those of bpftool's `prog dump xlated`.
 *
 * @module
 */
import type { Instruction } from "./instruction.ts";
import { BPF_PSEUDO } from "./opcode.ts";
import { isFunctionCall, isFunctionPointer, isHelperCall, isLoadImm64 } from "./predicates.ts";

/** Names of what a loaded program refers to; `undefined` for what is not known. */
export interface XlatedNames {
  /** Of the kernel's function that stands `distance` bytes from `__bpf_call_base`. */
  helper?: (distance: number) => string | undefined;
  /** Of the function number `index` of the program: `bpf_prog_6a2a713fe2537e95_twice`. */
  function?: (index: number) => string | undefined;
}

/**
 * What to show in the place of numbers in instructions that a kernel gave back (`decode()` with `lenient`), for
 * {@linkcode FormatOptions.reference}: `map[id:5]`, `map[id:5][0]+8`, `pc+3#bpf_prog_...`, `subprog[+3]`.
 */
export function xlatedReference(names: XlatedNames = {}): (insn: Instruction) => string | undefined {
  return (insn) => {
    if (isFunctionCall(insn)) {
      const name = names.function?.(insn.imm);
      return `pc${plus(insn.offset)}${name === undefined ? "" : `#${name}`}`;
    }
    if (isHelperCall(insn)) return names.helper?.(insn.imm);
    if (isFunctionPointer(insn)) return `subprog[${plus(insn.imm)}]`;
    if (!isLoadImm64(insn)) return undefined;
    switch (insn.src) {
      case BPF_PSEUDO.MAP_FD:
        return `map[id:${insn.imm >>> 0}]`;
      case BPF_PSEUDO.MAP_VALUE:
        return `map[id:${insn.imm >>> 0}][0]${plus(insn.immHigh)}`;
    }
    return undefined;
  };
}

function plus(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}

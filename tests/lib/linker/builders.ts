/** Programs, functions and instructions made by hand for the linker's tests. */
import { BPF_PSEUDO, Instruction, Label, type LabelBinding, OPCODE, REFERENCE } from "../../../lib/asm/mod.ts";
import type { FunctionSpec, ProgramSpec } from "../../../lib/spec/mod.ts";
import { BpfProgType } from "../../../lib/uapi/mod.ts";

/** `r0 = value` */
export function mov(value: number): Instruction {
  return Instruction.of({ opcode: OPCODE.MOV64_K, imm: value });
}

/** `exit` */
export const EXIT: Instruction = Instruction.of({ opcode: OPCODE.EXIT });

/** A call of the function that has `label`. */
export function call(label: Label): Instruction {
  return Instruction.of({ opcode: OPCODE.CALL, src: BPF_PSEUDO.CALL, imm: -1 }).with(REFERENCE, label);
}

/** A load of the address of the function that has `label`. */
export function pointer(label: Label): Instruction {
  return Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 2, src: BPF_PSEUDO.FUNC }).with(REFERENCE, label);
}

/** A function whose instructions are made from its own label and those of others. */
export function fn(name: string, instructions: readonly Instruction[], binding: LabelBinding = "local"): FunctionSpec {
  return { label: new Label(name, binding), section: ".text", instructions };
}

/** A program of the given instructions. */
export function program(instructions: readonly Instruction[], changes: Partial<ProgramSpec> = {}): ProgramSpec {
  return {
    name: "main",
    section: "xdp",
    type: BpfProgType.BPF_PROG_TYPE_XDP,
    expectedAttachType: 0,
    expectedAttachTypeOptional: false,
    attachTo: "",
    attach: "xdp",
    attachByBtf: false,
    sleepable: false,
    flags: 0,
    autoload: true,
    autoAttach: false,
    label: new Label("main", "global"),
    instructions,
    ...changes,
  };
}

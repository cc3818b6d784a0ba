/** Externs made by hand, and collections that have them. */
import { BPF_PSEUDO, Instruction, OPCODE } from "../../../../lib/asm/mod.ts";
import type { BtfType, FuncType, VarType } from "../../../../lib/btf/mod.ts";
import { type CollectionSpec, EXTERN, type ExternSpec, type KconfigSlot } from "../../../../lib/spec/mod.ts";
import { BtfKind } from "../../../../lib/uapi/mod.ts";
import { EXIT, program } from "../builders.ts";

/** An option in a map of its own, at its start. */
export function option(name: string, slot: Partial<KconfigSlot> = {}, weak = false): ExternSpec {
  const kconfig: KconfigSlot = { map: `${name}.kconfig`, offset: 0, size: 4, kind: "int", signed: true, ...slot };
  return { name, kind: "kconfig", section: ".kconfig", weak, kconfig };
}

/** `extern const void name __ksym` */
export function address(name: string, weak = false): ExternSpec {
  return { name, kind: "ksym", section: ".ksyms", weak };
}

/** `extern const TYPE name __ksym` */
export function kernelVariable(name: string, target: BtfType, weak = false): ExternSpec {
  return { name, kind: "ksym_var", section: ".ksyms", weak, type: externVariable(name, target) };
}

/** `extern RESULT name(...) __ksym` */
export function kfunc(name: string, target: BtfType, weak = false): ExternSpec {
  const type: FuncType = { kind: BtfKind.Func, id: 0, name, target, linkage: "extern" };
  return { name, kind: "kfunc", section: ".ksyms", weak, type };
}

/** A variable of the kernel, or one that is declared. */
export function externVariable(name: string, target: BtfType, linkage: VarType["linkage"] = "extern"): VarType {
  return { kind: BtfKind.Var, id: 0, name, target, linkage };
}

/** A load of what `extern` is: its address, or its value's. */
export function load(extern: ExternSpec, addend = 0): Instruction {
  return Instruction.of({ opcode: OPCODE.LD_IMM64, dst: 1, imm: addend }).with(EXTERN, extern);
}

/** A call of `extern`. */
export function callExtern(extern: ExternSpec): Instruction {
  return Instruction.of({ opcode: OPCODE.CALL, src: BPF_PSEUDO.CALL, imm: -1 }).with(EXTERN, extern);
}

/** A collection of one program, `main`. */
export function collectionOf(
  externs: readonly ExternSpec[],
  instructions: readonly Instruction[] = [],
  order: CollectionSpec["order"] = "little",
): CollectionSpec {
  const main = program([...instructions, EXIT]);
  return {
    name: "object",
    order,
    license: "GPL",
    kernelVersion: 0,
    btf: undefined,
    maps: new Map(),
    programs: new Map([["main", main]]),
    functions: [],
    variables: new Map(),
    externs: new Map(externs.map((extern) => [extern.name, extern])),
  };
}

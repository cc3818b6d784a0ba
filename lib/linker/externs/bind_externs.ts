/**
 * Putting what externs turned out to be into the instructions that refer to them. The bytes are libbpf 1.8's.
 *
 * @module
 */
import { BPF_PSEUDO, type Instruction, isCall, isLoadImm64, MAP, MetadataKey, OPCODE } from "../../asm/mod.ts";
import { DebpfError, LinkError, UnsupportedError } from "../../errors.ts";
import { EXTERN, type ExternSpec } from "../../spec/mod.ts";
import { MISSING_KFUNC } from "../markers/mod.ts";
import type { ExternBinding } from "./binding.ts";
import { isOfKernel, type ResolvedExterns } from "./resolve_externs.ts";

/** The module whose BTF's file descriptor a 64-bit load of a kernel variable's or function's address takes. */
export const MODULE_BTF: MetadataKey<string> = new MetadataKey("module BTF");

/**
 * `insn` with what its extern is, if it has one that is the kernel's.
 *
 * @param place Gives the instruction's place, for errors.
 * @throws {LinkError} if the extern is missing, or cannot be used so.
 * @throws {UnsupportedError} if a fact of the kernel is not known.
 */
export function bindExtern(insn: Instruction, externs: ResolvedExterns, place: () => string): Instruction {
  const extern = insn.get(EXTERN);
  if (extern === undefined || !isOfKernel(extern)) return insn;
  const result = externs.results.get(extern);
  if (result instanceof DebpfError) throw result;
  if (result === undefined || result.kind === "unknown") {
    const fact = result === undefined ? "the kernel" : result.fact;
    throw new UnsupportedError(
      "kernel facts",
      `${place()}: refers to extern "${extern.name}", and ${fact} is not known: it is asked through FFI, or given by the caller`,
    );
  }
  if (isCall(insn)) return bindCall(insn, extern, result, place);
  if (isLoadImm64(insn)) return bindLoad(insn, extern, result, place);
  throw misuse(extern, "can refer to nothing", place);
}

function bindCall(insn: Instruction, extern: ExternSpec, binding: ExternBinding, place: () => string): Instruction {
  if (binding.kind === "kfunc") {
    return insn.edit({ src: BPF_PSEUDO.KFUNC_CALL, imm: binding.id, offset: binding.fdIndex });
  }
  if (binding.kind === "missing" && extern.kind === "kfunc") {
    return insn.edit({ opcode: OPCODE.CALL, dst: 0, src: 0, offset: 0, imm: MISSING_KFUNC + binding.index });
  }
  throw misuse(extern, "calls it, and it is no function", place);
}

function bindLoad(insn: Instruction, extern: ExternSpec, binding: ExternBinding, place: () => string): Instruction {
  // Where clang folds an offset into the address, it is here.
  const addend = insn.imm;
  switch (binding.kind) {
    case "kconfig":
      return insn.edit({ src: BPF_PSEUDO.MAP_VALUE, imm: 0, immHigh: (binding.offset + addend) | 0 })
        .with(MAP, binding.map);
    case "address": {
      const address = BigInt.asIntN(64, binding.address + BigInt(addend));
      return insn.edit({ imm: Number(BigInt.asIntN(32, address)), immHigh: Number(address >> 32n) });
    }
    case "missing":
      return insn.edit({ imm: 0, immHigh: 0 });
    case "variable":
    case "kfunc":
      if (addend !== 0) throw misuse(extern, `adds ${addend} to its address, which only programs can`, place);
      return insn.edit({ src: BPF_PSEUDO.BTF_ID, imm: binding.id, immHigh: 0 }).with(MODULE_BTF, binding.module);
    case "unknown":
      return insn;
  }
}

function misuse({ name }: ExternSpec, problem: string, place: () => string): LinkError {
  return new LinkError(`${place()}: extern "${name}": the instruction ${problem}`);
}

/**
 * `insns` with the file descriptor of its module's BTF in each instruction that carries `MODULE_BTF`.
 *
 * @param fdOf The fd of a module's BTF.
 */
export function bindModules(insns: readonly Instruction[], fdOf: (module: string) => number): Instruction[] {
  return insns.map((insn) => {
    const module = insn.get(MODULE_BTF);
    return module === undefined ? insn : insn.edit({ immHigh: fdOf(module) });
  });
}

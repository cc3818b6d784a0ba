/**
 * What translated instructions call: their immediates are distances of functions from `__bpf_call_base` by now.
 *
 * @module
 */
import { type Instruction, isHelperCall, isKfuncCall, Label } from "../../lib/asm/mod.ts";
import { BpfFuncId, BtfKind, helperName } from "../../lib/uapi/mod.ts";
import { hostBtf } from "../btf/mod.ts";
import * as sys from "../sys/mod.ts";
import { KernelSymbols } from "./kernel_symbols.ts";

/** Names of the helpers and kernel functions that a program calls. */
export class CallNames {
  readonly #labels = new Map<number, Label>();
  #base: bigint | undefined;
  #names: ReadonlyMap<bigint, string> = new Map();

  /**
   * @param insns Translated instructions.
   * @param symbols The kernel's symbols; read if there is a call.
   */
  constructor(insns: readonly Instruction[], symbols?: KernelSymbols) {
    const calls = insns.filter((insn) => isNamedByAddress(insn));
    // Immediates are 0 where the kernel hides addresses.
    if (!calls.some(({ imm }) => imm !== 0)) return;
    const known = symbols ?? readSymbols();
    const base = this.#base = known?.callBase();
    if (known === undefined || base === undefined) return;
    this.#names = known.names(new Set(calls.map(({ imm }) => base + BigInt(imm))));
  }

  /** The function that an instruction calls; `undefined` if it is no such call, or its name is not shown. */
  of(insn: Instruction): Label | undefined {
    if (!isHelperCall(insn) && !isKfuncCall(insn)) return undefined;
    const known = this.#labels.get(insn.imm);
    if (known !== undefined) return known;
    const name = this.#name(insn);
    if (name === undefined) return undefined;
    const label = new Label(name, "global");
    this.#labels.set(insn.imm, label);
    return label;
  }

  #name(insn: Instruction): string | undefined {
    // The kernel shows a tail call as a call of the helper again.
    if (!isNamedByAddress(insn)) return `bpf_${helperName(insn.imm)}`;
    const name = this.#base === undefined ? undefined : this.#names.get(this.#base + BigInt(insn.imm));
    // Where calls may go far (arm64, s390), a kernel function is still named by its type.
    return name ?? (isKfuncCall(insn) && insn.offset === 0 ? kernelFunction(insn.imm) : undefined);
  }
}

function isNamedByAddress(insn: Instruction): boolean {
  return isKfuncCall(insn) || (isHelperCall(insn) && insn.imm !== BpfFuncId.BPF_FUNC_tail_call);
}

function readSymbols(): KernelSymbols | undefined {
  try {
    return KernelSymbols.read();
  } catch (error) {
    if (error instanceof sys.SyscallError) return undefined;
    throw error;
  }
}

function kernelFunction(id: number): string | undefined {
  const btf = hostBtf();
  return id > 0 && id < btf.typeCount && btf.kindOf(id) === BtfKind.Func ? btf.nameOf(id) : undefined;
}

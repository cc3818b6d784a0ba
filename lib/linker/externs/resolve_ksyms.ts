/**
 * Kernel symbols: addresses by name (`extern const void schedule __ksym`), variables and functions by type. Which are the
 * same is decided as libbpf 1.8 does: names are equal (of functions, without a flavour `___x`), types are compatible.
 *
 * @module
 */
import { type BtfType, essentialName } from "../../btf/mod.ts";
import { describeType, type SkippedTarget, typesCompatible } from "../../core/mod.ts";
import { DebpfError, LinkError, RelocationError } from "../../errors.ts";
import type { ExternSpec } from "../../spec/mod.ts";
import { BtfKind } from "../../uapi/mod.ts";
import type { ExternResult } from "./binding.ts";
import { KernelTypes } from "./find_kernel_type.ts";
import type { KernelAddresses, KernelFacts } from "./kernel_facts.ts";

/** `insn.off`, which tells a call where in `fd_array` the BTF of its module is, is a signed 16-bit number. */
const MAX_FD_INDEX = 0x7fff;

/** The kernel symbols of one collection. */
export class KsymResolver {
  /** The modules whose functions are called, in the order in which their BTF is in `fd_array`, from index 1. */
  readonly modules: string[] = [];
  readonly #facts: KernelFacts;
  readonly #typeless: ReadonlySet<string>;
  readonly #skipped: SkippedTarget | undefined;
  #addresses: KernelAddresses | DebpfError | undefined;
  #types: KernelTypes | DebpfError | undefined;

  /** Asks the kernel nothing yet. */
  constructor(externs: readonly ExternSpec[], facts: KernelFacts, skipped?: SkippedTarget) {
    this.#facts = facts;
    this.#skipped = skipped;
    this.#typeless = new Set(externs.filter(({ kind }) => kind === "ksym").map(({ name }) => name));
  }

  /**
   * Finds the symbol.
   *
   * @param index Its number among the externs.
   */
  resolve(extern: ExternSpec, index: number): ExternResult {
    try {
      switch (extern.kind) {
        case "ksym":
          return this.#address(extern, index);
        case "ksym_var":
          return this.#variable(extern, index);
        default:
          return this.#function(extern, index);
      }
    } catch (error) {
      if (error instanceof DebpfError) return error;
      throw error;
    }
  }

  #address({ name, weak }: ExternSpec, index: number): ExternResult {
    const ask = this.#facts.addresses;
    if (ask === undefined) return { kind: "unknown", fact: "the kernel's addresses" };
    const { byName, hidden } = kept(this.#addresses ??= attempted(() => ask(this.#typeless)));
    const [address, other] = byName.get(name) ?? [];
    if (address === undefined) {
      if (weak) return { kind: "missing", index };
      throw new LinkError(
        `extern "${name}": the kernel has no symbol of this name: declare it __weak if it may be missing`,
      );
    }
    if (other !== undefined) {
      throw new LinkError(
        `extern "${name}": the kernel has several symbols of this name, at 0x${address.toString(16)} and ` +
          `0x${other.toString(16)}: which one is meant cannot be said`,
      );
    }
    if (hidden && !weak) {
      throw new LinkError(
        `extern "${name}": the kernel hides its addresses (kernel.kptr_restrict, kernel.perf_event_paranoid): set ` +
          "kernel.kptr_restrict to 0, or run with CAP_SYSLOG and kernel.kptr_restrict below 2",
      );
    }
    return { kind: "address", address };
  }

  #variable({ name, weak, type }: ExternSpec, index: number): ExternResult {
    const types = this.#kernelTypes();
    if (types === undefined) return { kind: "unknown", fact: "the kernel's types" };
    const found = types.find(name, BtfKind.Var);
    if (found === undefined) {
      if (weak) return { kind: "missing", index };
      throw new LinkError(
        `extern "${name}": neither the kernel's BTF nor a module's has a variable of this name: only per-CPU variables ` +
          "are there; others are reached by address, as extern const void",
      );
    }
    const [local, target] = [targetOf(type), targetOf(found.type)];
    if (!compatible(local, target)) {
      throw new LinkError(
        `extern "${name}": it is declared as ${describeType(local)}, in ${found.module ?? "the kernel"} it is ` +
          describeType(target),
      );
    }
    return { kind: "variable", id: found.type.id, module: found.module, fdIndex: 0 };
  }

  #function({ name, weak, type }: ExternSpec, index: number): ExternResult {
    const types = this.#kernelTypes();
    if (types === undefined) return { kind: "unknown", fact: "the kernel's types" };
    const found = types.find(essentialName(name), BtfKind.Func);
    if (found === undefined) {
      if (weak) return { kind: "missing", index };
      throw new LinkError(
        `extern function "${name}": neither the kernel nor a module has such a function: declare it __weak if it may be ` +
          "missing, and ask bpf_ksym_exists()",
      );
    }
    const [local, target] = [targetOf(type), targetOf(found.type)];
    if (!compatible(local, target)) {
      // A program may try several signatures, and call the one that is there.
      if (weak) return { kind: "missing", index };
      throw new LinkError(
        `extern function "${name}": it is declared as ${describeType(local)}, in ${
          found.module ?? "the kernel"
        } it is ` +
          describeType(target),
      );
    }
    return { kind: "kfunc", id: found.type.id, module: found.module, fdIndex: this.#fdIndex(found.module, name) };
  }

  /** One entry for each module, whatever number of its functions is called; index 0 stands for the kernel itself. */
  #fdIndex(module: string | undefined, name: string): number {
    if (module === undefined) return 0;
    const known = this.modules.indexOf(module);
    if (known >= 0) return known + 1;
    if (this.modules.length === MAX_FD_INDEX) {
      throw new LinkError(`extern function "${name}": an object can call functions of ${MAX_FD_INDEX} modules at most`);
    }
    return this.modules.push(module);
  }

  #kernelTypes(): KernelTypes | undefined {
    const ask = this.#facts.types;
    if (ask === undefined) return undefined;
    return kept(this.#types ??= attempted(() => new KernelTypes(ask(), this.#skipped)));
  }
}

/** The type of a variable, the prototype of a function. */
function targetOf(type: BtfType | undefined): BtfType {
  if (type?.kind === BtfKind.Var || type?.kind === BtfKind.Func) return type.target;
  throw new LinkError("a kernel symbol is neither a variable nor a function");
}

function compatible(local: BtfType, target: BtfType): boolean {
  try {
    return typesCompatible(local, target);
  } catch (error) {
    // They nest too deeply to tell.
    if (error instanceof RelocationError) return false;
    throw error;
  }
}

/** A failure is kept, too: it is the same for each extern. */
function attempted<T>(ask: () => T): T | DebpfError {
  try {
    return ask();
  } catch (error) {
    if (error instanceof DebpfError) return error;
    throw error;
  }
}

function kept<T>(result: T | DebpfError): T {
  if (result instanceof DebpfError) throw result;
  return result;
}

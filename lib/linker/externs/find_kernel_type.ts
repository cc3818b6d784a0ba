/**
 * Variables and functions of a kernel and its modules by name.
 *
 * @module
 */
import type { BtfType } from "../../btf/mod.ts";
import type { CoreTarget, SkippedTarget } from "../../core/mod.ts";
import { DebpfError } from "../../errors.ts";
import type { BtfKind } from "../../uapi/mod.ts";

/** A type, and where it is. */
export interface KernelType {
  readonly type: BtfType;
  /** Name of the module; `undefined` for the kernel itself. */
  readonly module: string | undefined;
}

/** Looks names up, the kernel first, then its modules in order. */
export class KernelTypes {
  readonly #kernel: CoreTarget | undefined;
  readonly #skipped: SkippedTarget;
  #modules: readonly CoreTarget[];

  /**
   * Reads nothing yet.
   *
   * @param targets The kernel first, then its modules, whose BTF continues the kernel's.
   * @param skipped Told of modules whose BTF cannot be read.
   */
  constructor(targets: readonly CoreTarget[], skipped: SkippedTarget = () => {}) {
    [this.#kernel, ...this.#modules] = targets;
    this.#skipped = skipped;
  }

  /** The first type of that name and kind. */
  find(name: string, kind: BtfKind): KernelType | undefined {
    const own = this.#kernel?.btf.find(name, kind);
    if (own !== undefined) return { type: own, module: undefined };
    for (const module of this.#modules) {
      const type = this.#inModule(module, name, kind);
      if (type !== undefined) return { type, module: module.name };
    }
    return undefined;
  }

  #inModule(module: CoreTarget, name: string, kind: BtfKind): BtfType | undefined {
    try {
      const { btf } = module;
      const id = btf.findIds(name, kind).find((id) => id >= btf.ownStartId);
      return id === undefined ? undefined : btf.type(id);
    } catch (error) {
      if (!(error instanceof DebpfError)) throw error;
      this.#skipped(module, error);
      this.#modules = this.#modules.filter((other) => other !== module);
      return undefined;
    }
  }
}

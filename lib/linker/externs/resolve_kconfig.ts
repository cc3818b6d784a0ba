/**
 * Options of the kernel's configuration: the user's text first, then the kernel's own.
 *
 * @module
 */
import type { ByteOrder } from "../../bytes.ts";
import { DebpfError, LinkError } from "../../errors.ts";
import type { ExternSpec, KconfigSlot } from "../../spec/mod.ts";
import type { ExternResult } from "./binding.ts";
import { findOptions, type KconfigLine } from "./kconfig_text.ts";
import { writeFact, writeOption } from "./kconfig_value.ts";
import type { KernelFacts, VisibleFeature } from "./kernel_facts.ts";

/** What the user's text is called in errors. */
const USER_TEXT = "the given configuration";
const OPTION_PREFIX = "CONFIG_";
/** Prefix of variables that no configuration has: libbpf gives them their values. */
const VIRTUAL_PREFIX = "LINUX_";
const VERSION = "LINUX_KERNEL_VERSION";
const FEATURES: ReadonlyMap<string, VisibleFeature> = new Map<string, VisibleFeature>([
  ["LINUX_HAS_BPF_COOKIE", "bpf_cookie"],
  ["LINUX_HAS_SYSCALL_WRAPPER", "syscall_wrapper"],
]);

/** An extern of section `.kconfig`. */
export type OptionExtern = ExternSpec & { readonly kconfig: KconfigSlot };

/** Is `extern` in section `.kconfig`. */
export function isOption(extern: ExternSpec): extern is OptionExtern {
  return extern.kconfig !== undefined;
}

/** The options of one collection. */
export class KconfigResolver {
  readonly #facts: KernelFacts;
  readonly #order: ByteOrder;
  readonly #names: ReadonlySet<string>;
  readonly #userLines: ReadonlyMap<string, KconfigLine>;
  readonly #data: Map<string, Uint8Array>;
  #kernelLines: { lines: ReadonlyMap<string, KconfigLine>; files: readonly string[] } | DebpfError | undefined;

  /**
   * Asks the kernel nothing yet.
   *
   * @param externs All that there are.
   * @param text The user's, which wins.
   * @param data Gets the values, by name of map: zeros of the right size.
   * @throws {LinkError} if the user's text is no configuration.
   */
  constructor(
    externs: readonly OptionExtern[],
    facts: KernelFacts,
    order: ByteOrder,
    text: string | undefined,
    data: Map<string, Uint8Array>,
  ) {
    this.#facts = facts;
    this.#order = order;
    this.#names = new Set(externs.map(({ name }) => name));
    this.#userLines = text === undefined ? new Map() : findOptions(text, USER_TEXT, this.#names);
    this.#data = data;
  }

  /** Finds the value of an option, and writes it where programs read it. */
  resolve(extern: OptionExtern): ExternResult {
    try {
      return this.#resolve(extern);
    } catch (error) {
      if (error instanceof DebpfError) return error;
      throw error;
    }
  }

  #resolve(extern: OptionExtern): ExternResult {
    const { name, kconfig: slot } = extern;
    const bound: ExternResult = { kind: "kconfig", map: slot.map, offset: slot.offset };
    const target = { slot, data: this.#data.get(slot.map)!, order: this.#order };
    if (!name.startsWith(OPTION_PREFIX)) {
      const value = this.#virtual(extern);
      if (typeof value === "string") return { kind: "unknown", fact: value };
      writeFact(target, value, `extern "${name}"`);
      return bound;
    }
    const user = this.#userLines.get(name);
    if (user !== undefined) {
      writeOption(target, user.value, `extern "${name}": ${user.place}`);
      return bound;
    }
    if (this.#facts.config === undefined) return { kind: "unknown", fact: "the kernel's configuration" };
    const line = this.#kernelLine(name);
    if (line !== undefined) writeOption(target, line.value, `extern "${name}": ${line.place}`);
    else if (!extern.weak) throw this.#missing(name);
    return bound;
  }

  /** The value, or the fact that is not known. */
  #virtual({ name, weak }: ExternSpec): number | string {
    if (name === VERSION) return this.#facts.version?.() ?? "the kernel's version";
    const feature = FEATURES.get(name);
    if (feature !== undefined) {
      const has = this.#facts.has?.(feature);
      return has === undefined ? "what the kernel can do" : Number(has);
    }
    // A weak one is of a loader that is newer than this one.
    if (weak && name.startsWith(VIRTUAL_PREFIX)) return 0;
    const known = [VERSION, ...FEATURES.keys()].join(", ");
    throw new LinkError(
      `extern "${name}" in section ".kconfig" is neither a ${OPTION_PREFIX} option nor one of ${known}`,
    );
  }

  /**
   * @throws {LinkError} if no file has the kernel's configuration.
   */
  #kernelLine(name: string): KconfigLine | undefined {
    this.#kernelLines ??= this.#readKernel(name);
    if (this.#kernelLines instanceof DebpfError) throw this.#kernelLines;
    return this.#kernelLines.lines.get(name);
  }

  #readKernel(name: string): { lines: ReadonlyMap<string, KconfigLine>; files: readonly string[] } | DebpfError {
    try {
      const { text, files } = this.#facts.config!();
      // Also for a weak one: 0 would claim that the option is off.
      if (text === undefined) {
        throw new LinkError(
          `extern "${name}": the kernel's configuration is in none of ${
            files.join(", ")
          }: give its text, or a kernel with ` +
            "CONFIG_IKCONFIG_PROC=y",
        );
      }
      return { lines: findOptions(text, files.join(", "), this.#names), files };
    } catch (error) {
      if (error instanceof DebpfError) return error;
      throw error;
    }
  }

  #missing(name: string): LinkError {
    const kernel = this.#kernelLines instanceof DebpfError ? [] : this.#kernelLines?.files ?? [];
    const read = [...(this.#userLines.size === 0 ? [] : [USER_TEXT]), ...kernel].join(" and ");
    return new LinkError(
      `extern "${name}": ${read} does not set it: declare it __weak to read 0 then, or give its value`,
    );
  }
}

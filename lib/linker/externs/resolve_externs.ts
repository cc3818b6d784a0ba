/**
 * All that an object expects of a kernel, found at once: as libbpf does it, an object of which one strong extern is
 * missing is not loaded, whether a program refers to it or not.
 *
 * @module
 */
import type { SkippedTarget } from "../../core/mod.ts";
import { DebpfError, LinkError } from "../../errors.ts";
import { type CollectionSpec, EXTERN, type ExternSpec, type FunctionSpec } from "../../spec/mod.ts";
import type { ExternResult } from "./binding.ts";
import type { KernelFacts } from "./kernel_facts.ts";
import { isOption, KconfigResolver, type OptionExtern } from "./resolve_kconfig.ts";
import { KsymResolver } from "./resolve_ksyms.ts";

/** How {@linkcode resolveExterns} works. */
export interface ResolveExternsOptions {
  /** What is known of the kernel; without it nothing is. */
  readonly kernel?: KernelFacts | undefined;
  /** Options of the kernel's configuration that win over the kernel's own: lines like `CONFIG_HZ=250`. */
  readonly kconfig?: string | undefined;
  /** Functions of other objects that programs may call: they define some externs, and have externs of their own. */
  readonly functions?: readonly FunctionSpec[] | undefined;
  /** Told of a module's BTF that cannot be read, and is skipped. */
  readonly skipped?: SkippedTarget | undefined;
}

/** What the externs of a collection are in one kernel. */
export interface ResolvedExterns {
  /** Of each extern that is the kernel's: what it is, or why the collection cannot be loaded. */
  readonly results: ReadonlyMap<ExternSpec, ExternResult>;
  /** Values of the maps of options, by name of map; a map is left out if not all of its options are known. */
  readonly data: ReadonlyMap<string, Uint8Array>;
  /** Names of the modules whose BTF calls refer to by their index in `fd_array`, of which the first has index 1. */
  readonly modules: readonly string[];
  /** Why the collection cannot be loaded; `undefined` if it can. */
  readonly error: DebpfError | undefined;
}

/** Nothing is known of any extern. */
export const UNRESOLVED: ResolvedExterns = { results: new Map(), data: new Map(), modules: [], error: undefined };

const OF_KERNEL: ReadonlySet<string> = new Set(["kconfig", "ksym", "ksym_var", "kfunc"]);

/** Is it a kernel that defines `extern`, and not another object. */
export function isOfKernel(extern: ExternSpec): boolean {
  return OF_KERNEL.has(extern.kind);
}

/**
 * What the externs of a collection are in a kernel; the collection does not change.
 *
 * @param spec The collection.
 * @param options What is known of the kernel.
 */
export function resolveExterns(spec: CollectionSpec, options: ResolveExternsOptions = {}): ResolvedExterns {
  const { kernel = {}, functions = [], skipped } = options;
  const defined = definedNames([...spec.functions, ...functions]);
  const wanted = allExterns(spec, functions).filter((extern) => isOfKernel(extern) && !defined.has(extern.name));
  const optional = wanted.filter(isOption);
  const data = emptyData(optional);
  const ksyms = new KsymResolver(wanted, kernel, skipped);
  const results = new Map<ExternSpec, ExternResult>();
  try {
    const kconfig = new KconfigResolver(optional, kernel, spec.order, options.kconfig, data);
    for (const [index, extern] of wanted.entries()) {
      results.set(extern, isOption(extern) ? kconfig.resolve(extern) : ksyms.resolve(extern, index));
    }
  } catch (error) {
    if (!(error instanceof DebpfError)) throw error;
    // The user's text is wrong.
    return { ...UNRESOLVED, error };
  }
  for (const extern of optional) if (!isKnown(results.get(extern))) data.delete(extern.kconfig.map);
  const error = [...results.values()].find((result) => result instanceof DebpfError);
  return { results, data, modules: ksyms.modules, error };
}

function isKnown(result: ExternResult | undefined): boolean {
  return result !== undefined && !(result instanceof DebpfError) && result.kind !== "unknown";
}

/**
 * Refuses externs that are no kernel's and that nobody defines. libbpf does not even open such an object; weak ones are no
 * exception.
 *
 * @throws {LinkError} naming them.
 */
export function refuseUndefined(spec: CollectionSpec, functions: readonly FunctionSpec[]): void {
  const defined = definedNames([...spec.functions, ...functions]);
  const missing = allExterns(spec, functions).filter((extern) => !isOfKernel(extern) && !defined.has(extern.name));
  if (missing.length === 0) return;
  const names = missing.map(({ name, kind }) => `${kind === "unknown" ? "symbol" : kind} "${name}"`);
  throw new LinkError(
    `${spec.name}: nothing that is linked defines ${
      names.join(", ")
    }: link the object that does, or declare what is the ` +
      "kernel's with __ksym or __kconfig (and compile with -g)",
  );
}

/** Names that externs may refer to. */
function definedNames(functions: readonly FunctionSpec[]): Set<string> {
  return new Set(functions.filter(({ label }) => label.binding !== "local").map(({ label }) => label.name));
}

/** The collection's, then those that only functions of other objects refer to. */
function allExterns(spec: CollectionSpec, functions: readonly FunctionSpec[]): ExternSpec[] {
  const externs = new Set(spec.externs.values());
  for (const { instructions } of functions) {
    for (const insn of instructions) {
      const extern = insn.get(EXTERN);
      if (extern !== undefined) externs.add(extern);
    }
  }
  return [...externs];
}

/** Zeros for each map of options. */
function emptyData(options: readonly OptionExtern[]): Map<string, Uint8Array> {
  const sizes = new Map<string, number>();
  for (const { kconfig: { map, offset, size } } of options) {
    sizes.set(map, Math.max(sizes.get(map) ?? 0, offset + size));
  }
  return new Map([...sizes].map(([map, size]) => [map, new Uint8Array(size)]));
}

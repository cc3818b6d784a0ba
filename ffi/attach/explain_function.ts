/**
 * What is wrong with the name of a kernel function, found out after the kernel has refused it (or before, where the kernel
 * would take any of several).
 *
 * Facts: gcc's and clang's suffixes; kernel/kprobes.c (blacklist), kernel/trace/ftrace.c (available_filter_functions).
 *
 * @module
 */
import { nearestNames } from "../../lib/core/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { BtfKind } from "../../lib/uapi/mod.ts";
import { hostBtf, moduleBtf } from "../btf/mod.ts";
import { type KernelSymbol, selectKernelSymbols } from "../info/mod.ts";
import * as sys from "../sys/mod.ts";
import { KernelFunctionError } from "./function_error.ts";
import { type FunctionName, functionText } from "./function_name.ts";
import { findFunctions, isBlacklisted, isFunction, traceableFunctions } from "./kernel_functions.ts";

/** By which of the kernel's means a program is attached: breakpoints, or the hooks that ftrace patches in. */
export type TraceMeans = "kprobe" | "ftrace";

/** What compilers append to a function's name, and what they have done to it. */
const SUFFIXES: Readonly<Record<string, string>> = {
  isra: "its arguments were changed",
  constprop: "it was copied for constant arguments",
  part: "a part of it was split off, the rest is inlined into its callers",
  cold: "only the part that is rarely run is left, the rest is inlined into its callers",
  llvm: "it was renamed by link-time optimization",
};

/** Types of symbols that are code. */
const CODE = "tTwW";
const DOT = ".".charCodeAt(0);
const MAX_LISTED = 5;

/**
 * What is wrong with a function that a program is to be attached to; `undefined` if it looks right.
 *
 * @param place What the message begins with: `program "p"`.
 * @param wanted The function.
 * @param means How it would be traced.
 * @param cause What the kernel said.
 */
export function explainFunction(
  place: string,
  wanted: FunctionName,
  means: TraceMeans,
  cause?: unknown,
): KernelFunctionError | undefined {
  const all = findFunctions([wanted.name]).get(wanted.name) ?? [];
  const found = all.filter(({ module }) => wanted.module === undefined || module === wanted.module);
  const error = (
    problem: KernelFunctionError["problem"],
    message: string,
    candidates: readonly string[] = [],
  ) => new KernelFunctionError(`${place}: ${message}`, { function: functionText(wanted), problem, candidates, cause });
  if (found.length === 0) return explainMissing(wanted, all, error);
  if (found.length > 1) {
    const places = found.map(whereIs);
    return error(
      "ambiguous",
      `the kernel has ${found.length} functions "${wanted.name}": ${places.slice(0, MAX_LISTED).join(", ")}: ` +
        "attach to one of them by its address",
      places,
    );
  }
  const why = untraceable(wanted, means);
  return why === undefined ? undefined : error("untraceable", `the kernel has "${functionText(wanted)}", but ${why}`);
}

type Report = (problem: KernelFunctionError["problem"], message: string, candidates?: string[]) => KernelFunctionError;

function explainMissing(wanted: FunctionName, all: readonly KernelSymbol[], error: Report): KernelFunctionError {
  const { module, name } = wanted;
  if (all.length > 0) {
    const homes = all.map((symbol) => symbol.module === undefined ? "the kernel itself" : `module "${symbol.module}"`);
    const text = `module "${module}" has no function "${name}", but ${[...new Set(homes)].join(" and ")} has one`;
    return error("missing", text, all.map((symbol) => symbol.module === undefined ? name : `${symbol.module}:${name}`));
  }
  const names = new Set<string>();
  const variants = new Set<string>();
  const isVariant = (other: string) => other.startsWith(`${name}.`);
  const isNear = mayBeNear(name);
  const mayBe = (bytes: Uint8Array, start: number, end: number) =>
    isNear(bytes, start, end) || bytes[start + name.length] === DOT;
  const picked = selectKernelSymbols((_, type) => CODE.includes(type), { mayBe });
  for (const symbol of picked) {
    if (!isFunction(symbol) || (module !== undefined && symbol.module !== module)) continue;
    if (isVariant(symbol.name)) variants.add(symbol.name);
    else if (!symbol.name.includes(".")) names.add(symbol.name);
  }
  if (variants.size > 0) return error("renamed", renamed(name, [...variants]), [...variants]);
  if (module !== undefined && !sys.exists(`/sys/module/${module}`)) {
    return error("missing", `module "${module}" is not loaded`);
  }
  const home = module === undefined ? "this kernel" : `module "${module}"`;
  const nearest = nearestNames(name, names, MAX_LISTED);
  if (inBtf(wanted)) {
    const text =
      `the compiler has inlined "${name}" into its callers: BTF of ${home} knows it, but it has no code of its own`;
    return error("inlined", text + close(nearest), nearest);
  }
  const inlined = nearest.length > 0 ? "" : " (it may have been inlined into its callers)";
  return error("missing", `${home} has no function "${name}"${inlined}${close(nearest)}`, nearest);
}

/** Spares most of 100,000 names a closer look: those of another length or with other letters are not near. */
function mayBeNear(name: string): (bytes: Uint8Array, start: number, end: number) => boolean {
  const wanted = new TextEncoder().encode(name);
  const limit = Math.min(4, Math.max(1, Math.floor(name.length / 3)));
  const own = lettersOf(wanted, 0, wanted.length);
  return (bytes, start, end) => {
    if (Math.abs(end - start - wanted.length) > limit) return false;
    let different = own ^ lettersOf(bytes, start, end);
    // An edit takes a letter away, brings another one, or both.
    for (let count = 0; different !== 0; different &= different - 1) if (++count > 2 * limit) return false;
    return true;
  };
}

/** One bit for each letter that occurs. */
function lettersOf(bytes: Uint8Array, start: number, end: number): number {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= 1 << (bytes[at]! & 31);
  return bits;
}

function close(nearest: readonly string[]): string {
  return nearest.length === 0 ? "" : `; names that are close: ${nearest.map((name) => `"${name}"`).join(", ")}`;
}

function renamed(name: string, variants: readonly string[]): string {
  const what = new Set(variants.map((variant) => SUFFIXES[variant.slice(name.length + 1).split(".")[0] ?? ""]));
  const reasons = [...what].filter((reason) => reason !== undefined);
  const list = variants.slice(0, MAX_LISTED).map((variant) => `"${variant}"`).join(", ");
  return `the compiler has made another function of "${name}"${
    reasons.length === 0 ? "" : ` (${reasons.join("; ")})`
  }: attach to ${list}, whose arguments may be others`;
}

function whereIs({ address, module }: KernelSymbol): string {
  const at = address === 0n ? "an address that is not shown (kernel.kptr_restrict)" : `0x${address.toString(16)}`;
  return module === undefined ? at : `${at} of module "${module}"`;
}

/** Why a function that is there cannot be traced; `undefined` if it can, as far as can be seen. */
function untraceable({ name, module, offset }: FunctionName, means: TraceMeans): string | undefined {
  if (means === "kprobe" && isBlacklisted(name) === true) {
    return "kprobes keep off it (NOKPROBE_SYMBOL, or code that handles exceptions: /sys/kernel/debug/kprobes/blacklist)";
  }
  const traceable = traceableFunctions((other) => other === name, name);
  if (traceable === undefined) return undefined;
  if (traceable.some((other) => module === undefined || other.module === module)) return undefined;
  if (means === "ftrace") {
    return "it cannot be traced: it is not in available_filter_functions (marked notrace, or code of the kernel's start)";
  }
  if (offset !== 0) return undefined;
  return "kprobes may not be on it: it is not in available_filter_functions (marked notrace or inside the tracer's own code)";
}

/** Does BTF know such a function. */
function inBtf({ module, name }: FunctionName): boolean {
  try {
    return (module === undefined ? hostBtf() : moduleBtf(module)).find(name, BtfKind.Func) !== undefined;
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof sys.SyscallError) return false;
    throw error;
  }
}

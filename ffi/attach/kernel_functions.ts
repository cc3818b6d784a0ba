/**
 * Which functions the running kernel and its modules have, and which of them can be traced.
 *
 * @module
 */
import { eachLine, findKernelSymbols, type KernelSymbol } from "../info/mod.ts";
import * as sys from "../sys/mod.ts";
import { findTracefs } from "./tracefs.ts";

/** Where kernels that were built with ftrace list what can be traced. */
const TRACEABLE = "available_filter_functions";
/** Functions that kprobes keep off, if debugfs is mounted (kernel/kprobes.c). */
const BLACKLIST = "/sys/kernel/debug/kprobes/blacklist";
const [TAB, SPACE] = [9, 32];
/** What kallsyms lists as modules beside those: code that the kernel makes at run time. */
const NO_MODULES: ReadonlySet<string> = new Set(["bpf", "__builtin__ftrace", "__builtin__kprobes"]);

let known = new Map<string, readonly KernelSymbol[]>();
let knownFor: string | undefined;

/**
 * The functions of those names, by name: none, one, or several where the kernel and its modules have several. What was
 * looked up is kept until another module is loaded: one pass through the kernel's symbols takes some 50 ms.
 *
 * @throws {sys.SyscallError} if /proc is not mounted.
 */
export function findFunctions(names: Iterable<string>): ReadonlyMap<string, readonly KernelSymbol[]> {
  const modules = sys.exists("/proc/modules")
    ? sys.readTextFile("/proc/modules").replace(/^(\S+ \S+) .*$/gm, "$1")
    : "";
  if (modules !== knownFor) [known, knownFor] = [new Map(), modules];
  const wanted = [...new Set(names)];
  const unknown = wanted.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    const found = findKernelSymbols(unknown);
    for (const name of unknown) known.set(name, (found.get(name) ?? []).filter(isFunction));
  }
  return new Map(wanted.map((name) => [name, known.get(name)!]));
}

/** Is a symbol code of the kernel or of a module. */
export function isFunction({ type, module }: KernelSymbol): boolean {
  return /^[tTwW]$/.test(type) && (module === undefined || !NO_MODULES.has(module));
}

/** A function that ftrace can trace. */
export interface TraceableFunction {
  /** Its name. */
  readonly name: string;
  /** Its module; `undefined` for the kernel itself. */
  readonly module: string | undefined;
  /** Where ftrace hooks it; `undefined` on kernels that do not say (before 6.5). */
  readonly address: bigint | undefined;
}

/**
 * The functions that ftrace can trace and whose names a predicate picks; `undefined` if the kernel does not say: it was built
 * without ftrace, or tracefs is not mounted or not readable.
 *
 * @param prefix What all of those names begin with: text is made of no others, and there are 60,000.
 */
export function traceableFunctions(
  pick: (name: string) => boolean,
  prefix: string = "",
): TraceableFunction[] | undefined {
  const root = findTracefs(TRACEABLE);
  const paths = root === undefined ? [] : [`${root}/${TRACEABLE}_addrs`, `${root}/${TRACEABLE}`];
  const path = paths.find(canOpen);
  if (path === undefined) return undefined;
  const hasAddresses = path === paths[0];
  const found: TraceableFunction[] = [];
  const decoder = new TextDecoder();
  const wanted = new TextEncoder().encode(prefix);
  // A line: an address where they are shown, the name, `[module]`.
  eachLine(path, (bytes, start, end) => {
    const nameAt = hasAddresses ? bytes.indexOf(SPACE, start) + 1 : start;
    for (let i = 0; i < wanted.length; i++) if (bytes[nameAt + i] !== wanted[i]) return;
    let nameEnd = nameAt;
    while (nameEnd < end && bytes[nameEnd] !== SPACE && bytes[nameEnd] !== TAB) nameEnd++;
    const name = decoder.decode(bytes.subarray(nameAt, nameEnd));
    if (!pick(name)) return;
    const module = decoder.decode(bytes.subarray(nameEnd, end)).trim().replace(/^\[|\]$/g, "");
    const address = hasAddresses
      ? BigInt(`0x${decoder.decode(bytes.subarray(start, nameAt - 1)).replace(/^0x/, "")}`)
      : undefined;
    found.push({ name, module: module === "" ? undefined : module, address });
  });
  return found;
}

/** Lockdown forbids even root: access(2) does not tell. */
function canOpen(path: string): boolean {
  try {
    sys.open(path).close();
    return true;
  } catch (error) {
    if (error instanceof sys.SyscallError) return false;
    throw error;
  }
}

/** Do kprobes keep off a function; `undefined` if that cannot be seen. */
export function isBlacklisted(name: string): boolean | undefined {
  if (!canOpen(BLACKLIST)) return undefined;
  return sys.readTextFile(BLACKLIST).split("\n").some((line) => line.split(/\s+/)[1] === name);
}

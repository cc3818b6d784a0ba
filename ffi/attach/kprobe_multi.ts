/**
 * Many kernel functions with one link (`SEC("kprobe.multi/GLOB")`, 5.18; `SEC("kprobe.session/GLOB")`, 6.10).
 *
 * Source: kernel/trace/bpf_trace.c (`bpf_kprobe_multi_link_attach`).
 *
 * @module
 */
import type { AttachKind } from "../../lib/spec/mod.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import { selectKernelSymbols } from "../info/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { explainFunction } from "./explain_function.ts";
import { parseFunctionName } from "./function_name.ts";
import { globMatcher, isGlob } from "./glob.ts";
import { findFunctions, isFunction, traceableFunctions } from "./kernel_functions.ts";
import { Link } from "./link.ts";

/** `BPF_F_KPROBE_MULTI_RETURN` (linux/bpf.h). */
const RETURN = 1;

/** Which functions {@linkcode attachKprobeMulti} attaches to, and how: one of the first three is given. */
export interface AttachKprobeMultiOptions {
  /** Functions whose names match: `vfs_*`; `?` stands for one character. Those that cannot be traced are left out. */
  readonly pattern?: string | undefined;
  /** Functions by name, all of which the kernel has to have. */
  readonly functions?: readonly string[] | undefined;
  /** Functions by address. */
  readonly addresses?: readonly bigint[] | undefined;
  /** What `bpf_get_attach_cookie()` gives the program, for each of `functions` or `addresses` in their order. */
  readonly cookies?: readonly bigint[] | undefined;
  /** What it gives, for each function that matches `pattern`. */
  readonly cookieOf?: ((name: string) => bigint) | undefined;
  /** When the functions return, not when they are called. */
  readonly retprobe?: boolean | undefined;
}

/**
 * Attaches a program that was loaded for many kprobes: `attachKprobeMulti(program, { pattern: "vfs_*" })`. One that was loaded
 * for sessions runs at both ends of a call, and decides at its begin whether it runs at its end.
 *
 * @throws {KernelFunctionError} if one of `functions` is missing or cannot be traced, or nothing matches `pattern`.
 * @throws {SyscallError} if the kernel refuses it otherwise.
 */
export function attachKprobeMulti(program: BpfProgram, options: AttachKprobeMultiOptions): Link {
  const { retprobe = false } = options;
  const session = program.image.expectedAttachType === BpfAttachType.BPF_TRACE_KPROBE_SESSION;
  const place = `program "${program.name}"`;
  if (session && retprobe) throw new TypeError(`${place}: a session is at both ends of a call: leave retprobe out`);
  const { target, ...functions } = chosen(place, options);
  const attachType = session ? BpfAttachType.BPF_TRACE_KPROBE_SESSION : BpfAttachType.BPF_TRACE_KPROBE_MULTI;
  const kprobeMulti: sys.KprobeMultiOptions = { flags: retprobe ? RETURN : 0, ...functions };
  let fd: sys.Fd;
  try {
    fd = sys.linkCreate({ progFd: program.fd, attachType, kprobeMulti });
  } catch (error) {
    throw refusal(place, kprobeMulti, error);
  }
  return new Link({ kind: kindOf(session, retprobe), target, program: program.name, fds: [fd], links: [fd] });
}

function kindOf(session: boolean, retprobe: boolean): AttachKind {
  if (session) return "kprobe_session";
  return retprobe ? "kretprobe_multi" : "kprobe_multi";
}

interface Chosen extends Pick<sys.KprobeMultiOptions, "syms" | "addrs" | "cookies"> {
  readonly target: string;
}

function chosen(place: string, options: AttachKprobeMultiOptions): Chosen {
  const { pattern, functions, addresses, cookies, cookieOf } = options;
  if ([pattern, functions, addresses].filter((given) => given !== undefined).length !== 1) {
    throw new TypeError(`${place}: give a pattern, or functions, or addresses`);
  }
  if (cookieOf !== undefined && pattern === undefined) throw new TypeError(`${place}: cookieOf goes with a pattern`);
  if (cookies !== undefined && pattern !== undefined) throw new TypeError(`${place}: with a pattern give cookieOf`);
  const count = functions?.length ?? addresses?.length ?? 0;
  if (cookies !== undefined && cookies.length !== count) {
    throw new TypeError(`${place}: ${cookies.length} cookies for ${count} functions`);
  }
  if (pattern !== undefined) {
    return isGlob(pattern) ? matching(place, pattern, cookieOf) : {
      target: pattern,
      syms: [pattern],
      cookies: cookieOf === undefined ? undefined : BigUint64Array.of(cookieOf(pattern)),
    };
  }
  if (count === 0) throw new TypeError(`${place}: the list of functions is empty`);
  const own = cookies === undefined ? {} : { cookies: BigUint64Array.from(cookies) };
  if (functions !== undefined) return { target: listText(functions), syms: functions, ...own };
  const texts = addresses!.map((address) => `0x${address.toString(16)}`);
  return { target: listText(texts), addrs: BigUint64Array.from(addresses!), ...own };
}

function listText(names: readonly string[]): string {
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} others`;
}

/**
 * The functions that match: those that ftrace lists, by the addresses that the kernel's symbols have (ftrace's own may be
 * those behind an ENDBR, which cookies are not found by). Of functions that share a name only all or none can be meant: a
 * name is left out if not all can be traced.
 */
function matching(place: string, pattern: string, cookieOf: AttachKprobeMultiOptions["cookieOf"]): Chosen {
  const matches = globMatcher(pattern);
  const traceable = traceableFunctions(matches, /^[^*?]*/.exec(pattern)![0]);
  const counts = new Map<string, number>();
  const listed = traceable ?? selectKernelSymbols((name) => matches(name)).filter(isFunction);
  for (const { name } of listed) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names: string[] = [];
  const addresses: bigint[] = [];
  for (const [name, symbols] of findFunctions(counts.keys())) {
    if (symbols.length !== counts.get(name)) continue;
    for (const { address } of symbols) {
      names.push(name);
      addresses.push(address);
    }
  }
  const [example] = names;
  if (example === undefined) throw new Error(`${place}: no function that can be traced matches "${pattern}"`);
  const target = `${pattern} (${names.length} functions)`;
  const cookies = cookieOf === undefined ? {} : { cookies: BigUint64Array.from(names, cookieOf) };
  if (!addresses.includes(0n)) return { target, addrs: BigUint64Array.from(addresses), ...cookies };
  // Addresses are hidden from this process; by name the kernel finds those that are not shared.
  const syms = names.filter((name) => counts.get(name) === 1);
  return { target, syms, cookies: cookieOf === undefined ? undefined : BigUint64Array.from(syms, cookieOf) };
}

/** The kernel says only that something of a list is wrong. */
function refusal(place: string, asked: sys.KprobeMultiOptions, error: unknown): unknown {
  if (!(error instanceof sys.SyscallError)) return error;
  if (error.code === "ESRCH" || error.code === "ENOENT" || error.code === "EINVAL") {
    findFunctions(asked.syms ?? []);
    for (const name of asked.syms ?? []) {
      const explained = explainFunction(place, parseFunctionName(name, place), "ftrace", error);
      if (explained !== undefined) return explained;
    }
  }
  return error.at(place);
}

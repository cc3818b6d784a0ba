/**
 * System calls (`SEC("ksyscall/NAME")`, `SEC("kretsyscall/NAME")`): kprobes on the kernel's function for a call, whose name
 * depends on the architecture and on whether the kernel has wrappers (`CONFIG_ARCH_HAS_SYSCALL_WRAPPER`, 4.17).
 *
 * @module
 */
import { nearestNames } from "../../lib/core/mod.ts";
import { selectKernelSymbols } from "../info/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import { KernelFunctionError } from "./function_error.ts";
import { findFunctions } from "./kernel_functions.ts";
import { attachKprobe } from "./kprobe.ts";
import type { Link } from "./link.ts";

/** What wrappers' names begin with (arch/x86/include/asm/syscall_wrapper.h, arch/arm64/include/asm/syscall_wrapper.h). */
const WRAPPER: Partial<Record<typeof Deno.build.arch, string>> = { x86_64: "__x64_sys_", aarch64: "__arm64_sys_" };

/** What {@linkcode attachKsyscall} takes. */
export interface AttachKsyscallOptions {
  /** The call: `nanosleep`; of a list the first that the kernel has. */
  readonly syscall: string | readonly string[];
  /** When it returns, not when it is called. */
  readonly retprobe?: boolean | undefined;
  /** What `bpf_get_attach_cookie()` gives the program (5.15). */
  readonly cookie?: bigint | undefined;
}

/**
 * Attaches a program of type kprobe to a system call: `attachKsyscall(program, { syscall: "nanosleep" })`. Calls of 32-bit
 * programs are other functions, and are not seen.
 *
 * @throws {KernelFunctionError} if the kernel has no such call.
 */
export function attachKsyscall(program: BpfProgram, options: AttachKsyscallOptions): Link {
  const { syscall, retprobe = false, cookie } = options;
  const calls = typeof syscall === "string" ? [syscall] : syscall;
  const names = calls.map((call) => syscallFunctions(call));
  const found = findFunctions(names.flat());
  const name = names.flat().find((candidate) => found.get(candidate)!.length > 0);
  if (name === undefined) throw missing(program.name, calls);
  return attachKprobe(program, { function: name, retprobe, cookie, kind: retprobe ? "kretsyscall" : "ksyscall" });
}

/** What the function of a call may be called. With wrappers `__x64_sys_NAME`; without, the function under `SYSCALL_DEFINE` is `__se_sys_NAME`, or `sys_NAME`. */
export function syscallFunctions(call: string): string[] {
  const wrapper = WRAPPER[Deno.build.arch];
  return [...(wrapper === undefined ? [] : [`${wrapper}${call}`]), `__se_sys_${call}`, `sys_${call}`];
}

function missing(program: string, calls: readonly string[]): KernelFunctionError {
  const [first = ""] = calls;
  const prefix = WRAPPER[Deno.build.arch] ?? "__se_sys_";
  const names = selectKernelSymbols((name) => name.startsWith(prefix)).map(({ name }) => name.slice(prefix.length));
  const candidates = nearestNames(first, names, 5);
  const close = candidates.length === 0
    ? ""
    : `; calls whose names are close: ${candidates.map((name) => `"${name}"`).join(", ")}`;
  const which = calls.map((call) => `"${call}"`).join(" or ");
  return new KernelFunctionError(`program "${program}": this kernel has no system call ${which}${close}`, {
    function: first,
    problem: "missing",
    candidates,
  });
}

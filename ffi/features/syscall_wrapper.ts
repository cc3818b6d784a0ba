/**
 * Whether the running kernel's system calls are wrapped.
 *
 * @module
 */
import * as sys from "../sys/mod.ts";

/** The kernel's kprobe PMU, which is as old as the wrappers (4.17). */
const PMU_TYPE = "/sys/bus/event_source/devices/kprobe/type";
/** What wrappers' names begin with (arch/x86/include/asm/syscall_wrapper.h, arch/arm64/include/asm/syscall_wrapper.h). */
const PREFIX: Partial<Record<typeof Deno.build.arch, string>> = { x86_64: "__x64_sys_", aarch64: "__arm64_sys_" };

let known: boolean | undefined;

/**
 * Do kprobes on system calls get the registers of the caller in a struct (`CONFIG_ARCH_HAS_SYSCALL_WRAPPER`, 4.17)? As with
 * libbpf the answer is no where the kernel has no kprobes.
 */
export function hasSyscallWrapper(): boolean {
  return known ??= probe();
}

function probe(): boolean {
  const prefix = PREFIX[Deno.build.arch];
  if (prefix === undefined || !sys.exists(PMU_TYPE)) return false;
  try {
    const type = Number(sys.readTextFile(PMU_TYPE).trim());
    sys.perfEventOpen({ type, kprobeFunc: `${prefix}bpf` }, { pid: sys.getpid(), cpu: -1 }).close();
    return true;
  } catch (error) {
    if (error instanceof sys.SyscallError) return false;
    throw error;
  }
}

/**
 * Why the kernel says EPERM: looked up when it has happened, so that the message can say what to do.
 *
 * Sources: capabilities(7), kernel_lockdown(7), Documentation/admin-guide/sysctl/kernel.rst.
 *
 * @module
 */
import { calls } from "./calls.ts";
import { cString, textOf } from "./wire.ts";

const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;

/** What keeps this process from using BPF, and what to do about it. */
export function permissionHint(): string {
  const capabilities = effectiveCapabilities();
  const has = (bit: bigint) => capabilities !== undefined && (capabilities >> bit & 1n) === 1n;
  if (capabilities !== undefined && !has(CAP_SYS_ADMIN) && !(has(CAP_BPF) && has(CAP_PERFMON))) {
    const missing = has(CAP_BPF) ? "CAP_PERFMON" : has(CAP_PERFMON) ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
    return `this process has no ${missing}: run as root, or give it these capabilities (before Linux 5.8 CAP_SYS_ADMIN; ` +
      `programs for network devices and cgroups need CAP_NET_ADMIN too)`;
  }
  const mapping = peek("/proc/self/uid_map");
  if (mapping !== "" && !/^\s*0\s+0\s+4294967295\s*$/.test(mapping)) {
    return "this process is in a user namespace, whose capabilities do not count for BPF: run it outside, or delegate a BPF token";
  }
  const lockdown = /\[(\w+)\]/.exec(peek("/sys/kernel/security/lockdown"))?.[1];
  if (lockdown !== undefined && lockdown !== "none") {
    return `the kernel is locked down (${lockdown} in /sys/kernel/security/lockdown), which forbids reading kernel memory`;
  }
  return "this process has the capabilities, so the kernel forbids this very thing: a seccomp filter (containers), a security " +
    "module, an object that is frozen or of another kind, or before Linux 5.11 the limit RLIMIT_MEMLOCK";
}

/** Why perf_event_open(2) is refused. */
export function perfPermissionHint(): string {
  const paranoid = peek("/proc/sys/kernel/perf_event_paranoid").trim();
  const setting = paranoid === "" ? "" : ` (kernel.perf_event_paranoid is ${paranoid})`;
  return `perf events need root or CAP_PERFMON${setting}; a container's seccomp filter may forbid them altogether`;
}

function effectiveCapabilities(): bigint | undefined {
  const digits = /^CapEff:\s*([0-9a-f]+)$/m.exec(peek("/proc/self/status"))?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

/** The first 4 KiB of a file, or nothing: this runs while an error is being made, so it must not fail. */
function peek(path: string): string {
  const fd = calls.open(cString(path), 0, 0);
  if (fd < 0) return "";
  const buffer = new Uint8Array(4096);
  const length = calls.read(fd, buffer);
  calls.close(fd);
  return length > 0 ? textOf(buffer.subarray(0, length)) : "";
}

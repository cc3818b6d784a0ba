/**
 * The running kernel's version, as the kernel itself has it: `LINUX_VERSION_CODE`.
 *
 * @module
 */
import { exists, readTextFile, uname, type Utsname } from "../sys/mod.ts";

/** Ubuntu's kernels say here which upstream version they are: `Ubuntu 5.4.0-12.15-generic 5.4.8`. */
const SIGNATURE = "/proc/version_signature";
/** `KERNEL_VERSION()` has 8 bits for the last number since 5.4.219: larger ones stay 255. */
const MAX_PATCH = 255;

let known: number | undefined;

/**
 * The version of the running kernel: `0x60600` is 6.6.0. Kernels before 5.0 want it of programs for kprobes, and programs
 * read it as `LINUX_KERNEL_VERSION`.
 */
export function kernelVersion(): number {
  return known ??= versionCode(uname(), exists(SIGNATURE) ? readTextFile(SIGNATURE) : "");
}

/**
 * The number of what a kernel says of itself; 0 if it says none.
 *
 * @param names What uname(2) says: distributions put their own numbers into `release`, Debian the kernel's into `version`
 * (`#1 SMP Debian 5.10.237-1`).
 * @param signature Text of /proc/version_signature; empty where there is none.
 */
export function versionCode(names: Pick<Utsname, "release" | "version">, signature: string): number {
  const places: [text: string, pattern: RegExp][] = [
    [signature, /^\S+ \S+ (\d+)\.(\d+)\.(\d+)/],
    [names.version, /Debian (\d+)\.(\d+)\.(\d+)/],
    [names.release, /^(\d+)\.(\d+)\.(\d+)/],
  ];
  for (const [text, pattern] of places) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const [major = 0, minor = 0, patch = 0] = match.slice(1).map(Number);
    return major * 0x10000 + minor * 0x100 + Math.min(patch, MAX_PATCH);
  }
  return 0;
}

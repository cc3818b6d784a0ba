/**
 * The process and the machine.
 *
 * @module
 */
import { FormatError } from "../../lib/errors.ts";
import { calls } from "./calls.ts";
import { check } from "./fail.ts";
import { readTextFile } from "./files.ts";
import { cString, textOf } from "./wire.ts";

/** Process id. */
export function getpid(): number {
  return calls.getpid();
}

/** Real user id. */
export function getuid(): number {
  return calls.getuid();
}

/** Effective user id. */
export function geteuid(): number {
  return calls.geteuid();
}

/** Value of an environment variable; `undefined` without one. (`Deno.env` needs a permission of its own.) */
export function environment(name: string): string | undefined {
  const value = calls.getenv(cString(name));
  return value === null ? undefined : Deno.UnsafePointerView.getCString(value);
}

/** Size of a page in bytes. */
export function pageSize(): number {
  return calls.getpagesize();
}

/** What uname(2) says. */
export interface Utsname {
  /** `"Linux"`. */
  readonly sysname: string;
  /** Name of the host. */
  readonly nodename: string;
  /** Version of the kernel: `"6.18.44-amd64"`. */
  readonly release: string;
  /** Build of the kernel. */
  readonly version: string;
  /** `"x86_64"`, `"aarch64"`. */
  readonly machine: string;
}

/** Each field of `struct utsname` is `char[65]`, and there are six. */
const UTSNAME_FIELD = 65;

/** Which kernel this is. */
export function uname(): Utsname {
  const buffer = new Uint8Array(6 * UTSNAME_FIELD);
  check("uname()", calls.uname(buffer));
  const field = (index: number) => textOf(buffer.subarray(index * UTSNAME_FIELD, (index + 1) * UTSNAME_FIELD));
  return { sysname: field(0), nodename: field(1), release: field(2), version: field(3), machine: field(4) };
}

/** Clocks of clock_gettime(2) (linux/time.h). */
export const Clock = {
  /** Time of day, since 1970. */
  CLOCK_REALTIME: 0,
  /** `bpf_ktime_get_ns()`: since boot, without the time spent suspended. */
  CLOCK_MONOTONIC: 1,
  /** `bpf_ktime_get_boot_ns()`: since boot. */
  CLOCK_BOOTTIME: 7,
  /** `bpf_ktime_get_tai_ns()`: time of day without leap seconds. */
  CLOCK_TAI: 11,
} as const;
/** A value of {@linkcode Clock}. */
export type Clock = typeof Clock[keyof typeof Clock];

/** Time of a clock in ns. */
export function clockGettime(clock: Clock): bigint {
  const time = new BigInt64Array(2);
  check("clock_gettime()", calls.clockGettime(clock, new Uint8Array(time.buffer)));
  return time[0]! * 1_000_000_000n + time[1]!;
}

const POSSIBLE_CPUS = "/sys/devices/system/cpu/possible";

/**
 * Number of CPUs that there can ever be: per-CPU values have one for each, whether it is there or not.
 *
 * @throws {SyscallError} if sysfs is not mounted.
 */
export function possibleCpus(): number {
  // The kernel numbers them at boot and never again.
  return possible ??= parseCpuList(readTextFile(POSSIBLE_CPUS), POSSIBLE_CPUS).length;
}

let possible: number | undefined;

/**
 * Numbers of the CPUs that run now.
 *
 * @throws {SyscallError} if sysfs is not mounted.
 */
export function onlineCpus(): number[] {
  const path = "/sys/devices/system/cpu/online";
  return parseCpuList(readTextFile(path), path);
}

/**
 * The numbers that the kernel writes as `0-3,8`.
 *
 * @param text The list.
 * @param what What to call it in messages.
 * @throws {FormatError} if it is no such list.
 */
export function parseCpuList(text: string, what: string): number[] {
  const cpus: number[] = [];
  for (const part of text.trim().split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!(first <= last)) throw new FormatError(`${what}: "${text.trim()}" is not a list of CPUs like 0-3,8`);
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return cpus;
}

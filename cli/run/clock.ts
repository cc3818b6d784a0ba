/**
 * Kernel time as time of day.
 *
 * @module
 */
import { Clock, clockGettime } from "../../ffi/sys/mod.ts";

/** Wall clock time minus monotonic time, in ns; taken once, so that intervals between events stay right. */
let offsetNs: bigint | undefined;

/**
 * A time of `bpf_ktime_get_ns` (CLOCK_MONOTONIC) as local time of day, `13:37:00.123`.
 *
 * @param ns Nanoseconds since boot.
 */
export function wallClock(ns: bigint): string {
  offsetNs ??= BigInt(Date.now()) * 1_000_000n - clockGettime(Clock.CLOCK_MONOTONIC);
  const date = new Date(Number((ns + offsetNs) / 1_000_000n));
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

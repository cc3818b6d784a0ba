/**
 * perf_event_open(2) and the ioctl(2) requests of perf events.
 *
 * Source: linux/perf_event.h (Linux 7.2).
 *
 * @module
 */
import { PerfFlag, PerfIoctl, type PerfType } from "../../lib/uapi/mod.ts";
import { calls } from "./calls.ts";
import { Errno } from "./errno.ts";
import { callError, perfError } from "./fail.ts";
import { Fd } from "./fd.ts";
import { addressOf, layout, WireBuffer } from "./wire.ts";

/** `struct perf_event_attr`; `bits` is the word of one-bit fields. */
export const PERF_EVENT_ATTR = layout({
  type: [0, "u32"],
  size: [4, "u32"],
  config: [8, "u64"],
  samplePeriod: [16, "u64"],
  sampleFreq: [16, "u64"],
  sampleType: [24, "u64"],
  readFormat: [32, "u64"],
  bits: [40, "u64"],
  wakeupEvents: [48, "u32"],
  wakeupWatermark: [48, "u32"],
  bpType: [52, "u32"],
  bpAddr: [56, "u64"],
  kprobeFunc: [56, "pointer"],
  uprobePath: [56, "pointer"],
  config1: [56, "u64"],
  bpLen: [64, "u64"],
  kprobeAddr: [64, "u64"],
  probeOffset: [64, "u64"],
  config2: [64, "u64"],
  branchSampleType: [72, "u64"],
  sampleRegsUser: [80, "u64"],
  sampleStackUser: [88, "u32"],
  clockid: [92, "s32"],
  sampleRegsIntr: [96, "u64"],
  auxWatermark: [104, "u32"],
  sampleMaxStack: [108, "u16"],
  auxSampleSize: [112, "u32"],
  sigData: [120, "u64"],
});

/** One-bit fields of `struct perf_event_attr`: number of the bit in `bits`. */
export const PERF_EVENT_BITS = {
  disabled: 0,
  inherit: 1,
  pinned: 2,
  exclusive: 3,
  excludeUser: 4,
  excludeKernel: 5,
  excludeHv: 6,
  excludeIdle: 7,
  freq: 10,
  enableOnExec: 12,
  watermark: 14,
  sampleIdAll: 18,
  excludeHost: 19,
  excludeGuest: 20,
  useClockid: 25,
  writeBackward: 27,
} as const;

/** What is counted or traced: fields are those of `struct perf_event_attr`, and 0 unless given. */
export interface PerfEventAttr {
  /** `PERF_TYPE_*`, or the number of a dynamic PMU (/sys/bus/event_source/devices). */
  readonly type: PerfType | number;
  /** Which event of that type; for a tracepoint its id in tracefs. */
  readonly config?: number | bigint | undefined;
  /** A sample every so many events. */
  readonly samplePeriod?: number | bigint | undefined;
  /** Samples a second, with `freq`. */
  readonly sampleFreq?: number | bigint | undefined;
  /** `PERF_SAMPLE_*`. */
  readonly sampleType?: number | bigint | undefined;
  /** `PERF_FORMAT_*`. */
  readonly readFormat?: number | bigint | undefined;
  /** Wake up after so many events. */
  readonly wakeupEvents?: number | undefined;
  /** Wake up after so many bytes, with `watermark`. */
  readonly wakeupWatermark?: number | undefined;
  /** `HW_BREAKPOINT_*`. */
  readonly bpType?: number | undefined;
  /** Address of a breakpoint. */
  readonly bpAddr?: bigint | undefined;
  /** Size of a breakpoint in bytes. */
  readonly bpLen?: number | bigint | undefined;
  /** Function of a kprobe. */
  readonly kprobeFunc?: string | undefined;
  /** Address of a kprobe without a function. */
  readonly kprobeAddr?: bigint | undefined;
  /** Binary of a uprobe. */
  readonly uprobePath?: string | undefined;
  /** Offset in bytes from `kprobeFunc` or in `uprobePath`. */
  readonly probeOffset?: number | bigint | undefined;
  /** Further configuration. */
  readonly config1?: number | bigint | undefined;
  /** Further configuration. */
  readonly config2?: number | bigint | undefined;
  /** `CLOCK_*`, with `useClockid`. */
  readonly clockid?: number | undefined;
  /** Depth of call chains. */
  readonly sampleMaxStack?: number | undefined;
  /** Off until it is enabled. */
  readonly disabled?: boolean | undefined;
  /** Children of the process count too. */
  readonly inherit?: boolean | undefined;
  /** Always on the PMU. */
  readonly pinned?: boolean | undefined;
  /** Alone on the PMU. */
  readonly exclusive?: boolean | undefined;
  /** Not in user space. */
  readonly excludeUser?: boolean | undefined;
  /** Not in the kernel. */
  readonly excludeKernel?: boolean | undefined;
  /** Not in the hypervisor. */
  readonly excludeHv?: boolean | undefined;
  /** Not when idle. */
  readonly excludeIdle?: boolean | undefined;
  /** `sampleFreq` counts, not `samplePeriod`. */
  readonly freq?: boolean | undefined;
  /** On from the next exec. */
  readonly enableOnExec?: boolean | undefined;
  /** `wakeupWatermark` counts, not `wakeupEvents`. */
  readonly watermark?: boolean | undefined;
  /** All records carry the sample's identity. */
  readonly sampleIdAll?: boolean | undefined;
  /** Not on the host. */
  readonly excludeHost?: boolean | undefined;
  /** Not in guests. */
  readonly excludeGuest?: boolean | undefined;
  /** `clockid` counts. */
  readonly useClockid?: boolean | undefined;
  /** The buffer is written from its end. */
  readonly writeBackward?: boolean | undefined;
}

/** Whom a perf event watches. */
export interface PerfEventTarget {
  /** Process; 0 is the caller, -1 (the default) all, with a `cpu`. */
  readonly pid?: number | undefined;
  /** CPU; -1 (the default) is any, with a `pid`. */
  readonly cpu?: number | undefined;
  /** Leader of its group. */
  readonly groupFd?: number | undefined;
  /** `PERF_FLAG_*` beside `PERF_FLAG_FD_CLOEXEC`, which is always set. */
  readonly flags?: number | undefined;
}

let attr: WireBuffer | undefined;

/**
 * Opens a perf event (perf_event_open(2)).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function perfEventOpen(event: PerfEventAttr, target: PerfEventTarget = {}): Fd {
  attr ??= new WireBuffer(PERF_EVENT_ATTR.size);
  const { pid = -1, cpu = -1, groupFd = -1, flags = 0 } = target;
  attr.fill(PERF_EVENT_ATTR, { ...fieldsOf(event), size: PERF_EVENT_ATTR.size, bits: bitsOf(event) });
  const result = calls.perfEventOpen(attr.pointer, pid, cpu, groupFd, flags | PerfFlag.PERF_FLAG_FD_CLOEXEC);
  attr.release();
  if (result < 0) throw perfError(result);
  return new Fd(result);
}

function isBit(name: string): name is keyof typeof PERF_EVENT_BITS {
  return Object.hasOwn(PERF_EVENT_BITS, name);
}

function fieldsOf(event: PerfEventAttr): Omit<PerfEventAttr, keyof typeof PERF_EVENT_BITS> {
  return Object.fromEntries(Object.entries(event).filter(([name]) => !isBit(name))) as { type: number };
}

function bitsOf(event: PerfEventAttr): bigint {
  let bits = 0n;
  for (const name of Object.keys(PERF_EVENT_BITS)) {
    if (isBit(name) && event[name] === true) bits |= 1n << BigInt(PERF_EVENT_BITS[name]);
  }
  return bits;
}

/**
 * Lets a program run on a perf event (`PERF_EVENT_IOC_SET_BPF`), until the event is closed.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function perfEventSetBpf(fd: number, progFd: number): void {
  request("PERF_EVENT_IOC_SET_BPF", fd, BigInt(progFd));
}

/**
 * Turns a perf event on (`PERF_EVENT_IOC_ENABLE`).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function perfEventEnable(fd: number): void {
  request("PERF_EVENT_IOC_ENABLE", fd, 0n);
}

/**
 * Turns a perf event off (`PERF_EVENT_IOC_DISABLE`).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function perfEventDisable(fd: number): void {
  request("PERF_EVENT_IOC_DISABLE", fd, 0n);
}

/**
 * Lets a perf event write to its buffer no longer, or again (`PERF_EVENT_IOC_PAUSE_OUTPUT`, 4.7): what comes meanwhile is
 * lost, and counted.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function perfEventPause(fd: number, paused: boolean): void {
  request("PERF_EVENT_IOC_PAUSE_OUTPUT", fd, paused ? 1n : 0n);
}

/**
 * Id of a perf event (`PERF_EVENT_IOC_ID`).
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function perfEventId(fd: number): bigint {
  const id = new BigUint64Array(1);
  request("PERF_EVENT_IOC_ID", fd, addressOf(id));
  return id[0]!;
}

/**
 * Id of the program on a tracepoint's or kprobe's perf event (`PERF_EVENT_IOC_QUERY_BPF`, 4.16); all of them share the
 * tracepoint's list.
 *
 * @throws {SyscallError} if the kernel refuses it.
 */
export function perfEventQueryBpf(fd: number): Uint32Array<ArrayBuffer> {
  for (let room = 16;; room *= 4) {
    // struct perf_event_query_bpf: room, number of programs, ids.
    const query = new Uint32Array(2 + room);
    query[0] = room;
    const result = calls.ioctl(fd, PerfIoctl.PERF_EVENT_IOC_QUERY_BPF, addressOf(query));
    if (result === -Errno.ENOSPC && room < 1 << 16) continue;
    if (result < 0) throw callError("ioctl(PERF_EVENT_IOC_QUERY_BPF)", result);
    return query.slice(2, 2 + query[1]!);
  }
}

function request(name: keyof typeof PerfIoctl, fd: number, arg: bigint): void {
  const result = calls.ioctl(fd, PerfIoctl[name], arg);
  if (result < 0) throw callError(`ioctl(${name})`, result);
}

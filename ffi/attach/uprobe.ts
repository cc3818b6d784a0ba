/**
 * Functions of user programs (`SEC("uprobe/PATH:FUNCTION+OFFSET")`), when they are called or return.
 *
 * @module
 */
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { Link } from "./link.ts";
import { linkPerfEvent } from "./perf_link.ts";
import { openUprobeEvent, type UprobeEvent, type UprobeLocation } from "./uprobe_event.ts";
import { UserBinary, type UserBinaryOptions } from "./user_binary.ts";

/** Where {@linkcode attachUprobe} attaches. */
export interface AttachUprobeOptions extends UserBinaryOptions {
  /** The function: `malloc`, `memcpy@GLIBC_2.2.5`; without it `offset` counts from the start of the file. */
  readonly symbol?: string | undefined;
  /** Bytes from the start of the function, or of the file; it has to be where an instruction begins. */
  readonly offset?: number | undefined;
  /** Only this process, 0 for the calling one; all by default. */
  readonly pid?: number | undefined;
  /** When it returns, not when it is called. */
  readonly retprobe?: boolean | undefined;
  /** What `bpf_get_attach_cookie()` gives the program (5.15). */
  readonly cookie?: bigint | undefined;
  /** Where in the file a 16-bit counter is that is 1 more while this is attached (4.20). */
  readonly refCtrOffset?: number | undefined;
  /** By which means of the kernel; by default its PMU (4.17), if there is one. */
  readonly mode?: "perf" | "tracefs" | undefined;
}

/**
 * Attaches to a function of a program or library, for processes that run and those that will.
 *
 * @param program A program of type kprobe.
 * @param options Where: `{ path: "libc.so.6", symbol: "malloc" }`.
 * @throws {UserFunctionError} if there is no such file or function.
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function attachUprobe(program: BpfProgram, options: AttachUprobeOptions): Link {
  const { symbol, offset = 0, retprobe = false, cookie = 0n, refCtrOffset = 0 } = options;
  const place = `program "${program.name}"`;
  if (retprobe && offset !== 0 && symbol !== undefined) {
    throw new TypeError(`${place}: what returns is a function: "${symbol}" can have no offset`);
  }
  const binary = new UserBinary(options, place);
  if (symbol === undefined) binary.checkOffset(offset);
  const at = symbol === undefined ? offset : binary.functionOffset(symbol, offset);
  const pid = watchedPid(options.pid);
  const probe = { path: binary.path, offset: at, refCtrOffset, retprobe, pid };
  return new Link({
    kind: retprobe ? "uretprobe" : "uprobe",
    target: `${binary.path}:${symbol === undefined ? "" : symbol + (offset === 0 ? "" : "+")}${
      symbol === undefined || offset !== 0 ? `0x${offset.toString(16)}` : ""
    }`,
    program: program.name,
    ...openUprobe(program, probe, cookie, options.mode),
  });
}

/** What holds one probe: parts of a {@linkcode Link}. */
export interface OpenUprobe {
  /** Event and link. */
  readonly fds: readonly sys.Fd[];
  /** The link, where the kernel has them. */
  readonly links: readonly sys.Fd[];
  /** Removes what outlives them, once they are closed. */
  readonly after: (() => void) | undefined;
}

/**
 * Puts one probe in a program.
 *
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function openUprobe(
  program: BpfProgram,
  probe: UprobeLocation,
  cookie: bigint,
  mode?: "perf" | "tracefs",
): OpenUprobe {
  using cleanup = new DisposableStack();
  const { fd, tracefs } = open(program, probe, mode, cleanup);
  const link = linkPerfEvent(program, fd, cookie);
  cleanup.move();
  const links = link === undefined ? [] : [link];
  return { fds: [fd, ...links], links, after: tracefs && (() => tracefs.remove()) };
}

function open(
  program: BpfProgram,
  probe: UprobeLocation,
  mode: "perf" | "tracefs" | undefined,
  cleanup: DisposableStack,
): UprobeEvent {
  try {
    return openUprobeEvent(probe, mode, cleanup);
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    throw explain(error, probe, `program "${program.name}": "${probe.path}" at 0x${probe.offset.toString(16)}`);
  }
}

/** What an error of the kernel means for probes. */
function explain(error: sys.SyscallError, probe: UprobeLocation, place: string): Error {
  switch (error.code) {
    case "ESRCH":
      return new Error(`${place}: there is no process ${probe.pid}`, { cause: error });
    case "ENOTSUPP":
    case "EOPNOTSUPP":
      return new Error(`${place}: the kernel cannot put a probe on the instruction there`, { cause: error });
    default:
      return error.at(place);
  }
}

/** As the kernel takes it: -1 for all processes. */
export function watchedPid(pid: number | undefined): number {
  return pid === undefined || pid < 0 ? -1 : pid === 0 ? sys.getpid() : pid;
}

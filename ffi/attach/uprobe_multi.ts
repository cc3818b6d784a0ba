/**
 * Many functions of a user program at once (`SEC("uprobe.multi/PATH:PATTERN")`, 6.6), also both when they are called and when
 * they return (`SEC("uprobe.session/...")`, 6.13).
 *
 * @module
 */
import { BpfAttachType, BpfUprobeMultiFlag } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { globMatcher, isGlob } from "./glob.ts";
import { Link } from "./link.ts";
import { watchedPid } from "./uprobe.ts";
import { UserBinary, type UserBinaryOptions } from "./user_binary.ts";

/** Where {@linkcode attachUprobeMulti} attaches: one of `pattern`, `symbols` and `offsets` is given. */
export interface AttachUprobeMultiOptions extends UserBinaryOptions {
  /** Functions whose names match: `*` is any text, `?` any one character. */
  readonly pattern?: string | undefined;
  /** Functions by name. */
  readonly symbols?: readonly string[] | undefined;
  /** Offsets in the file, in bytes. */
  readonly offsets?: readonly number[] | undefined;
  /** What `bpf_get_attach_cookie()` gives the program, the same for all. */
  readonly cookie?: bigint | undefined;
  /** One for each of `symbols` or `offsets` instead. */
  readonly cookies?: readonly bigint[] | undefined;
  /** Where in the file 16-bit counters are that are 1 more while this is attached: one for each, 0 for none. */
  readonly refCtrOffsets?: readonly number[] | undefined;
  /** Only this process, 0 for the calling one; all by default. */
  readonly pid?: number | undefined;
  /** When they return, not when they are called. */
  readonly retprobe?: boolean | undefined;
  /** Is it a session program; by default what it was loaded as. */
  readonly session?: boolean | undefined;
}

/**
 * Attaches to many functions of a program or library by one link.
 *
 * @param program A program of type kprobe that was loaded with the attach type uprobe_multi or uprobe_session.
 * @param options Where: `{ path: "libc.so.6", pattern: "str*" }`.
 * @throws {UserFunctionError} if there is no such file or function.
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function attachUprobeMulti(program: BpfProgram, options: AttachUprobeMultiOptions): Link {
  const { cookie = 0n, refCtrOffsets, retprobe = false, pid } = options;
  const place = `program "${program.name}"`;
  const session = options.session ?? isSession(program, place);
  if (session && retprobe) throw new TypeError(`${place}: a session program runs at both ends: it has no retprobe`);
  const binary = new UserBinary(options, place);
  const { offsets, target } = locate(binary, options, place);
  const cookies = options.cookies ?? (cookie === 0n ? undefined : offsets.map(() => cookie));
  checkLength("cookies", cookies, offsets, place);
  checkLength("refCtrOffsets", refCtrOffsets, offsets, place);
  const fd = createUprobeMulti(program, place, session, {
    path: binary.path,
    offsets: BigUint64Array.from(offsets, BigInt),
    cookies: cookies && BigUint64Array.from(cookies),
    refCtrOffsets: refCtrOffsets && BigUint64Array.from(refCtrOffsets, BigInt),
    flags: retprobe ? BpfUprobeMultiFlag.BPF_F_UPROBE_MULTI_RETURN : 0,
    pid: Math.max(watchedPid(pid), 0),
  });
  const kind = session ? "uprobe_session" : retprobe ? "uretprobe_multi" : "uprobe_multi";
  return new Link({ kind, target: `${binary.path}:${target}`, program: program.name, fds: [fd], links: [fd] });
}

/** What it was loaded as. Kernels that have no such links (before 6.6, sessions before 6.13) do not load such programs. */
function isSession(program: BpfProgram, place: string): boolean {
  switch (program.image.expectedAttachType) {
    case BpfAttachType.BPF_TRACE_UPROBE_SESSION:
      return true;
    case BpfAttachType.BPF_TRACE_UPROBE_MULTI:
      return false;
    default:
      throw new TypeError(
        `${place}: it was loaded for one function, not for many: SEC("uprobe.multi"), or expectedAttachType before loading`,
      );
  }
}

/**
 * Makes the link.
 *
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function createUprobeMulti(
  program: BpfProgram,
  place: string,
  session: boolean,
  uprobeMulti: sys.UprobeMultiOptions,
): sys.Fd {
  const attachType = session ? BpfAttachType.BPF_TRACE_UPROBE_SESSION : BpfAttachType.BPF_TRACE_UPROBE_MULTI;
  try {
    return sys.linkCreate({ progFd: program.fd, attachType, uprobeMulti });
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    if (error.code === "ESRCH") {
      throw new Error(`${place}: there is no process ${uprobeMulti.pid}`, { cause: error });
    }
    throw error.at(`${place}: "${uprobeMulti.path}"`);
  }
}

function locate(
  binary: UserBinary,
  options: AttachUprobeMultiOptions,
  place: string,
): { offsets: readonly number[]; target: string } {
  const { pattern, symbols, offsets } = options;
  if ([pattern, symbols, offsets].filter((given) => given !== undefined).length !== 1) {
    throw new TypeError(`${place}: give one of pattern, symbols and offsets`);
  }
  if (pattern !== undefined) {
    const found = isGlob(pattern)
      ? binary.matchingOffsets(pattern, globMatcher(pattern))
      : [binary.functionOffset(pattern)];
    return { offsets: found, target: pattern };
  }
  if (symbols !== undefined) {
    return { offsets: symbols.map((symbol) => binary.functionOffset(symbol)), target: symbols.join(",") };
  }
  for (const offset of offsets ?? []) binary.checkOffset(offset);
  return { offsets: offsets ?? [], target: (offsets ?? []).map((offset) => `0x${offset.toString(16)}`).join(",") };
}

function checkLength(what: string, given: readonly unknown[] | undefined, offsets: readonly number[], place: string) {
  if (given === undefined || given.length === offsets.length) return;
  throw new TypeError(`${place}: ${given.length} ${what} for ${offsets.length} functions: give one for each`);
}

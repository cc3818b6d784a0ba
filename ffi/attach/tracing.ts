/**
 * Programs that were loaded for a kernel function or type, or for a function of another program: `SEC("fentry/...")`,
 * `fexit`, `fmod_ret`, `fsession`, `tp_btf`, `lsm` (5.5 to 5.7).
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import type { AttachKind } from "../../lib/spec/mod.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { explainFunction } from "./explain_function.ts";
import { parseFunctionName } from "./function_name.ts";
import { Link } from "./link.ts";

/** What {@linkcode attachTracing} takes. */
export interface AttachTracingOptions {
  /** What `bpf_get_attach_cookie()` gives the program: functions and LSM hooks 5.19, tracepoints 6.10. */
  readonly cookie?: bigint | undefined;
  /** What the link says it is; by default `trace`. */
  readonly kind?: AttachKind | undefined;
}

/**
 * Attaches a program to what it was loaded for. `BPF_LINK_CREATE` takes such programs since 5.19; before, they go by
 * `BPF_RAW_TRACEPOINT_OPEN` without a name.
 *
 * @param target What to call the target in messages.
 * @throws {UnsupportedError} if there is a cookie and this kernel has none for such programs.
 * @throws {SyscallError} if the kernel refuses it: code `EBUSY` if another program that changes results is there.
 */
export function attachTracing(program: BpfProgram, target: string, options: AttachTracingOptions = {}): Link {
  const { cookie = 0n, kind = "trace" } = options;
  const fd = openTracing(program, target, cookie);
  return new Link({ kind, target, program: program.name, fds: [fd], links: [fd] });
}

function openTracing(program: BpfProgram, target: string, cookie: bigint): sys.Fd {
  const place = `program "${program.name}"`;
  const attachType = program.image.expectedAttachType as BpfAttachType;
  try {
    return sys.linkCreate({
      progFd: program.fd,
      attachType,
      tracing: cookie === 0n ? undefined : { cookie },
    });
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    if (error.code !== "EINVAL") throw refusal(program, target, error);
    if (cookie === 0n) return openUnnamed(program, target);
    throw new UnsupportedError(
      "cookies of tracing programs",
      `${place}: this kernel has no cookies for such programs (functions and LSM hooks: Linux 5.19; tracepoints: 6.10)`,
      { since: "5.19", cause: error },
    );
  }
}

function openUnnamed(program: BpfProgram, target: string): sys.Fd {
  try {
    return sys.rawTracepointOpen({ progFd: program.fd });
  } catch (error) {
    throw error instanceof sys.SyscallError ? refusal(program, target, error) : error;
  }
}

/** Attach types of programs on functions. */
const ON_FUNCTIONS: ReadonlySet<number> = new Set([
  BpfAttachType.BPF_TRACE_FENTRY,
  BpfAttachType.BPF_TRACE_FEXIT,
  BpfAttachType.BPF_MODIFY_RETURN,
  BpfAttachType.BPF_TRACE_FSESSION,
]);
/** What kernels say of functions that have no place to hook into (kernel/bpf/trampoline.c). */
const NO_HOOK: ReadonlySet<string> = new Set(["EBUSY", "ENODEV", "ENOTSUPP", "EOPNOTSUPP"]);

function refusal(program: BpfProgram, target: string, error: sys.SyscallError): Error {
  const place = `program "${program.name}"`;
  const { expectedAttachType, attachProgFd } = program.image;
  if (attachProgFd !== undefined || !ON_FUNCTIONS.has(expectedAttachType) || !NO_HOOK.has(error.code)) {
    return error.at(place);
  }
  return explainFunction(place, parseFunctionName(target, place), "ftrace", error) ?? error.at(place);
}

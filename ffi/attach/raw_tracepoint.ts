/**
 * Raw tracepoints (`SEC("raw_tp/NAME")`, 4.17), and those whose programs may write (`SEC("raw_tp.w/NAME")`, 5.2).
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { Link } from "./link.ts";

/** What {@linkcode attachRawTracepoint} takes. */
export interface AttachRawTracepointOptions {
  /** What `bpf_get_attach_cookie()` gives the program (6.10). */
  readonly cookie?: bigint | undefined;
}

/**
 * Attaches to a raw tracepoint by its name: `sched_process_exec`.
 *
 * @throws {Error} if there is no such tracepoint, or it is not one whose programs may write.
 * @throws {UnsupportedError} if there is a cookie and this kernel has none for raw tracepoints.
 */
export function attachRawTracepoint(
  program: BpfProgram,
  name: string,
  options: AttachRawTracepointOptions = {},
): Link {
  const { cookie = 0n } = options;
  const place = `program "${program.name}"`;
  try {
    const fd = sys.rawTracepointOpen({ progFd: program.fd, name, ...(cookie === 0n ? {} : { cookie }) });
    return new Link({ kind: "raw_tracepoint", target: name, program: program.name, fds: [fd], links: [fd] });
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    const { code } = error;
    if (code === "ENOENT") throw new Error(`${place}: this kernel has no raw tracepoint "${name}"`, { cause: error });
    // CHECK_ATTR: the older kernel does not know the field.
    if (code === "EINVAL" && cookie !== 0n) throw noCookie(place, error);
    if (code === "EINVAL") {
      const why = `raw tracepoint "${name}" gives programs less than this one reads, or not to those that write`;
      throw new Error(`${place}: ${why}`, { cause: error });
    }
    throw error.at(place);
  }
}

function noCookie(place: string, cause: sys.SyscallError): UnsupportedError {
  return new UnsupportedError(
    "cookies of raw tracepoints",
    `${place}: this kernel has no cookies for raw tracepoints (Linux 6.10 has them)`,
    { since: "6.10", cause },
  );
}

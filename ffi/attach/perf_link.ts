/**
 * Letting a program run on a perf event: a BPF link since Linux 5.15, an ioctl on the event before.
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";

/**
 * Lets a program run on a perf event, and turns the event on.
 *
 * @param cookie What `bpf_get_attach_cookie()` gives the program; 0 for none.
 * @returns The link; `undefined` where the program is on the event itself, until that is closed.
 * @throws {UnsupportedError} if there is a cookie and this kernel has no links of perf events.
 * @throws {sys.SyscallError} if the kernel refuses it.
 */
export function linkPerfEvent(program: BpfProgram, event: sys.Fd, cookie = 0n): sys.Fd | undefined {
  const attachType = BpfAttachType.BPF_PERF_EVENT;
  const perfEvent = cookie === 0n ? undefined : { bpfCookie: cookie };
  try {
    return sys.linkCreate({ progFd: program.fd, targetFd: event.value, attachType, perfEvent });
  } catch (error) {
    if (!(error instanceof sys.SyscallError)) throw error;
    // A kernel without such links knows no attach type for it, or takes the event for a cgroup.
    if (error.code !== "EINVAL" && error.code !== "EBADF") throw error.at(`program "${program.name}"`);
    attachByIoctl(program, event, cookie, error);
    return undefined;
  }
}

function attachByIoctl(program: BpfProgram, event: sys.Fd, cookie: bigint, cause: sys.SyscallError): void {
  const place = `program "${program.name}"`;
  if (cookie !== 0n) {
    throw new UnsupportedError(
      "cookies of perf events",
      `${place}: a cookie needs a link, and this kernel has no links of perf events (Linux 5.15 has them)`,
      { since: "5.15", cause },
    );
  }
  try {
    sys.perfEventSetBpf(event.value, program.fd);
    sys.perfEventEnable(event.value);
  } catch (error) {
    throw error instanceof sys.SyscallError ? error.at(place) : error;
  }
}

/**
 * LSM hooks for the processes of a cgroup (`SEC("lsm_cgroup/HOOK")`, 6.0).
 *
 * @module
 */
import { BpfAttachType } from "../../lib/uapi/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { Link } from "./link.ts";

/**
 * Attaches a program that was loaded for an LSM hook of cgroups to a cgroup: the hook is asked for its processes' sockets.
 *
 * @param program The program.
 * @param cgroup The cgroup's folder, or an open file descriptor of it.
 * @throws {SyscallError} if there is no such cgroup, or the kernel refuses it.
 */
export function attachLsmCgroup(program: BpfProgram, cgroup: string | number): Link {
  const place = `program "${program.name}"`;
  using cleanup = new DisposableStack();
  try {
    const targetFd = typeof cgroup === "number" ? cgroup : cleanup.use(sys.open(cgroup)).value;
    const fd = sys.linkCreate({ progFd: program.fd, targetFd, attachType: BpfAttachType.BPF_LSM_CGROUP });
    return new Link({
      kind: "lsm_cgroup",
      target: typeof cgroup === "number" ? `fd ${cgroup}` : cgroup,
      program: program.name,
      fds: [fd],
      links: [fd],
    });
  } catch (error) {
    throw error instanceof sys.SyscallError ? error.at(place) : error;
  }
}

/**
 * Read-only data is kept with a program also if the program does not refer to it: tools look there for what it says of
 * itself (`bpf_metadata_*` variables, which bpftool shows).
 *
 * @module
 */
import type { BpfMap } from "../map/mod.ts";
import type { BpfProgram } from "../program/mod.ts";
import { progBindMap, SyscallError } from "../sys/mod.ts";

const READ_ONLY = /^\.rodata(\.|$)/;

let unsupported = false;

/** Binds the read-only data among `maps` to a program, where the kernel can (5.10); a failure is no reason not to run. */
export function bindReadOnlyData(program: BpfProgram, maps: Iterable<BpfMap>): void {
  if (unsupported) return;
  for (const map of maps) {
    if (!READ_ONLY.test(map.spec.section ?? "")) continue;
    try {
      progBindMap(program.fd, map.fd);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      unsupported = error.code === "EINVAL";
    }
  }
}

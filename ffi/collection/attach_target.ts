/**
 * The kernel type or function that a program is loaded for (`attach_btf_id`).
 *
 * @module
 */
import { UnsupportedError } from "../../lib/errors.ts";
import type { ProgramSpec } from "../../lib/spec/mod.ts";
import { BpfAttachType, BpfProgType, BtfKind } from "../../lib/uapi/mod.ts";
import { hostBtf } from "../btf/mod.ts";

/** Program types that are loaded for a kernel type or function. */
const NEEDS_TARGET: ReadonlySet<BpfProgType> = new Set<BpfProgType>([
  BpfProgType.BPF_PROG_TYPE_TRACING,
  BpfProgType.BPF_PROG_TYPE_LSM,
  BpfProgType.BPF_PROG_TYPE_EXT,
]);

/**
 * Id in vmlinux of what `program` is loaded for; 0 for a program that needs none.
 *
 * @throws {UnsupportedError} if this kernel does not have it.
 */
export function attachBtfId(program: ProgramSpec): number {
  if (!NEEDS_TARGET.has(program.type)) return 0;
  const place = `program "${program.name}" (section "${program.section}")`;
  if (program.expectedAttachType !== BpfAttachType.BPF_TRACE_RAW_TP) {
    throw new UnsupportedError(
      `programs of section "${program.section}"`,
      `${place}: loading such programs is not supported, of those for kernel types only tp_btf`,
    );
  }
  // The kernel makes a typedef of this name for each tracepoint: include/trace/bpf_probe.h.
  const ids = hostBtf().findIds(`btf_trace_${program.attachTo}`, BtfKind.Typedef);
  if (ids.length === 0) {
    throw new UnsupportedError(
      `tracepoint ${program.attachTo}`,
      `${place}: this kernel has no tracepoint "${program.attachTo}"`,
    );
  }
  return ids[0]!;
}

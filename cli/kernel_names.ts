/**
 * Kernel numbers as the words that bpftool uses for them: `BPF_MAP_TYPE_PERCPU_HASH` is `percpu_hash`.
 *
 * @module
 */
import { BpfAttachType, BpfCoreReloKind, BpfMapType, BpfProgType } from "../lib/uapi/mod.ts";

function namer(table: Readonly<Record<string, number>>, prefix: string): (value: number) => string {
  const names = new Map<number, string>();
  // Of several names of one number the first is the one that the kernel began with.
  for (const [name, value] of Object.entries(table)) {
    if (!names.has(value)) names.set(value, name.replace(prefix, "").toLowerCase().replace(/_deprecated$/, ""));
  }
  return (value) => names.get(value) ?? String(value);
}

/** `hash`, `ringbuf`. */
export const mapTypeName: (type: number) => string = namer(BpfMapType, "BPF_MAP_TYPE_");

/** `tracing`, `raw_tracepoint`. */
export const programTypeName: (type: number) => string = namer(BpfProgType, "BPF_PROG_TYPE_");

/** `trace_raw_tp`, `cgroup_inet4_bind`. */
export const attachTypeName: (type: number) => string = namer(BpfAttachType, "BPF_");

/** `field_byte_offset`, `type_exists`. */
export const coreRelocationName: (kind: number) => string = namer(BpfCoreReloKind, "BPF_CORE_");

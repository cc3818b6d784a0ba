/**
 * What older kernels lack, and how a collection is made ready for them all the same; as libbpf 1.8 does it. Which features a
 * kernel lacks is an argument: the newest kernel's none.
 *
 * @module
 */
import { type Instruction, isHelperCall } from "../asm/mod.ts";
import type { KernelFacts } from "./externs/mod.ts";
import type { CollectionSpec, MapSpec, ProgramSpec } from "../spec/mod.ts";
import { BpfAttachType, BpfFuncId, BpfMapFlag } from "../uapi/mod.ts";
import { placeArena } from "./arena_globals.ts";

/**
 * A feature that a kernel may lack:
 *
 * - `btf` (4.18): it takes BTF. Without it maps and programs have none.
 * - `btf_func` (5.0): programs say which functions and lines they are made of. Without it they don't.
 * - `object_names` (4.15): maps and programs have names.
 * - `expected_attach_type` (4.17): programs are told how they will be attached. Without it those that need not know
 *   are not told.
 * - `global_data` (5.2): programs reach the values of maps directly. Without it the maps of global data are not made, and
 *   what refers to them cannot be reached.
 * - `array_mmap` (5.5): user space can map an array. Without it maps of global data are read and written by system calls.
 * - `arg_ctx_tag` (6.8): a tag says which argument of a global function is the context. Without it the argument gets the type
 *   that says so.
 * - `direct_value_range` (7.0): programs reach any offset in a map's value directly, not only the first 512 MiB. Without it
 *   variables in an arena are put at its start, not its end.
 * - `probe_read_kernel` (5.5): `bpf_probe_read_kernel()`, `bpf_probe_read_user()` and their `_str` twins. Without them
 *   `bpf_probe_read()` and `bpf_probe_read_str()` do the same on most machines.
 */
export type KernelFeature =
  | "btf"
  | "btf_func"
  | "object_names"
  | "expected_attach_type"
  | "global_data"
  | "array_mmap"
  | "arg_ctx_tag"
  | "direct_value_range"
  | "probe_read_kernel";

/** Features that a kernel lacks. */
export type MissingFeatures = ReadonlySet<KernelFeature>;

/** All features are there. */
export const NOTHING_MISSING: MissingFeatures = new Set();

/** The helpers of 5.5, and what they were before: number by number. */
const OLDER_HELPERS: ReadonlyMap<number, number> = new Map<number, number>([
  [BpfFuncId.BPF_FUNC_probe_read_kernel, BpfFuncId.BPF_FUNC_probe_read],
  [BpfFuncId.BPF_FUNC_probe_read_user, BpfFuncId.BPF_FUNC_probe_read],
  [BpfFuncId.BPF_FUNC_probe_read_kernel_str, BpfFuncId.BPF_FUNC_probe_read_str],
  [BpfFuncId.BPF_FUNC_probe_read_user_str, BpfFuncId.BPF_FUNC_probe_read_str],
]);

/** `insns` with helpers that the kernel has. */
export function withHelpersOf(insns: readonly Instruction[], missing: MissingFeatures): readonly Instruction[] {
  if (!missing.has("probe_read_kernel")) return insns;
  return insns.map((insn) => {
    const older = isHelperCall(insn) ? OLDER_HELPERS.get(insn.imm) : undefined;
    return older === undefined ? insn : insn.edit({ imm: older });
  });
}

/** Are programs told which functions and lines they are made of. */
export function takesInfos(missing: MissingFeatures): boolean {
  return !missing.has("btf") && !missing.has("btf_func");
}

/**
 * The `expected_attach_type` that the kernel is told of `program`.
 *
 * @param has What is known of the kernel. USDT programs are attached to all places of a probe by one link where the kernel has
 * such links, and have to be loaded for that.
 */
export function attachTypeFor(
  program: ProgramSpec,
  missing: MissingFeatures,
  has?: KernelFacts["has"],
): BpfAttachType | 0 {
  if (program.attach === "usdt" && program.expectedAttachType === 0 && has?.("uprobe_multi_link")) {
    return BpfAttachType.BPF_TRACE_UPROBE_MULTI;
  }
  const untold = program.expectedAttachTypeOptional && missing.has("expected_attach_type");
  return untold ? 0 : program.expectedAttachType;
}

/**
 * The maps that are created, as the kernel takes them.
 *
 * @param data Values of maps of options, by name of map; the value of one that is not there is not known.
 * @param pageSize Size of a page of the kernel, in bytes.
 */
export function mapsFor(
  spec: CollectionSpec,
  missing: MissingFeatures,
  data: ReadonlyMap<string, Uint8Array>,
  pageSize: number,
): Map<string, MapSpec> {
  const maps = new Map<string, MapSpec>();
  const options = new Set(
    [...spec.externs.values()].flatMap(({ kconfig }) => kconfig === undefined ? [] : kconfig.map),
  );
  for (const [name, map] of spec.maps) {
    if (!isCreated(map, missing)) continue;
    const filled = options.has(name) ? { ...map, data: data.get(name) } : map;
    maps.set(name, placeArena(asKernelTakes(filled, missing), missing, pageSize));
  }
  return maps;
}

/** Is `map` created in a kernel that lacks some features. */
export function isCreated(map: MapSpec, missing: MissingFeatures): boolean {
  return map.autocreate !== false && !(isGlobalData(map) && missing.has("global_data"));
}

function isGlobalData(map: MapSpec): boolean {
  return map.section !== undefined && map.data !== undefined;
}

function asKernelTakes(map: MapSpec, missing: MissingFeatures): MapSpec {
  const flags = isGlobalData(map) && missing.has("array_mmap") ? map.flags & ~BpfMapFlag.BPF_F_MMAPABLE : map.flags;
  const nameless = missing.has("object_names");
  if (flags === map.flags && !nameless) return map;
  return { ...map, flags, ...(nameless ? { kernelName: "" } : {}) };
}

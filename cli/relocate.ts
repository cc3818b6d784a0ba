/**
 * `debpf relocate`: programs linked and relocated, as the kernel would get them; nothing is loaded.
 *
 * @module
 */
import { encode, type Instruction, listing, MAP, referenceText, slotCount } from "../lib/asm/mod.ts";
import { CORE_RELOCATION } from "../lib/btf/mod.ts";
import { CORE_FIXUP, type CoreTarget, poisonedBy, type SkippedTarget } from "../lib/core/mod.ts";
import {
  bindMaps,
  hasCoreRelocations,
  hasStructOps,
  JUMP_TABLE_MAP,
  jumpTableMap,
  type KernelFacts,
  relocateCollection,
  type RelocateCollectionOptions,
  type RelocatedProgram,
  type StructOpsImage,
} from "../lib/linker/mod.ts";
import { type CollectionSpec, JUMP_TABLE, type MapSpec, type ProgramSpec } from "../lib/spec/mod.ts";
import { BpfCoreReloKind, BpfMapType } from "../lib/uapi/mod.ts";
import { readArgs } from "./args.ts";
import { type Command, EXIT } from "./command.ts";
import { readKconfig } from "./kconfig.ts";
import { readObject } from "./object_file.ts";
import { noteSkipped, readTargets, refuseOtherOrder } from "./kernels.ts";
import type { Output } from "./output.ts";

/** The command. */
export const command: Command = {
  usage: `usage: debpf relocate OBJECT [--btf FILE|vmlinux]... [--kconfig FILE]

Prints the programs of an object, linked and with their CO-RE relocations resolved against the running kernel, or
against the BTF of any other: --btf takes raw BTF or an ELF file with a .BTF section; further ones are modules'.
Kernel symbols, kernel functions and the kernel's configuration are the running kernel's, which is asked through FFI;
--kconfig names a file of options (CONFIG_HZ=250) that win over the running kernel's.
With -j: a JSON line for each map, its data, and each program, as they would be handed to bpf(2). Exit code 1 if a
program cannot be relocated or linked.`,
  async run(args, { output }) {
    const { positional, collected, string } = readArgs(args, {
      collect: ["btf"],
      string: ["kconfig"],
      positional: ["OBJECT"],
    });
    const spec = await readObject(positional[0] ?? "");
    const files = collected("btf");
    const targets = files.length === 0 && !hasCoreRelocations(spec) ? [] : await readTargets(files);
    const kconfig = await readKconfig(string("kconfig"));
    if (hasCoreRelocations(spec)) refuseOtherOrder(spec, { name: targets[0]?.name ?? "", targets });
    const skipped = noteSkipped(output);
    const { programs, maps, structOps } = relocateCollection(spec, {
      targets,
      skipped,
      facts: await hostFacts(),
      kconfig,
      ...(hasStructOps(spec) ? { kernel: await hostKernel() ?? targets } : {}),
      ...([...spec.maps.values()].some(({ arena }) => arena !== undefined) ? await hostMemory() : {}),
    });
    if (output.json) {
      const cpus = await possibleCpus();
      for (const program of programs.values()) if (!(program instanceof Error)) printJumpTables(program, output);
      for (const map of maps.values()) {
        const image = structOps.get(map.name);
        printMap(image === undefined ? map : asImage(map, image), cpus, output, image?.valueType.id);
      }
      for (const map of maps.values()) printData(map, output);
    }
    const targetId = await targetsOfHost(skipped);
    let errors = 0;
    for (const [name, program] of programs) {
      const own = spec.programs.get(name)!;
      const target = program instanceof Error ? program : program.structOps?.type.id ?? targetId(own);
      if (target instanceof Error) errors++;
      print(spec, own, target instanceof Error ? target : program, typeof target === "number" ? target : 0, output);
    }
    if (output.json) output.value({ kind: "end", programs: programs.size, errors });
    return errors === 0 ? EXIT.done : EXIT.failed;
  },
};

/** The running kernel, which struct_ops are fitted to whatever CO-RE is resolved against; `undefined` if it cannot be asked. */
async function hostKernel(): Promise<CoreTarget[] | undefined> {
  const { ffiAvailable } = await import("../ffi/sys/mod.ts");
  return ffiAvailable() ? (await import("../ffi/btf/mod.ts")).hostTargets() : undefined;
}

/** Ids of what programs are loaded for in the running kernel, or why it does not have it; 0 if it cannot be asked. */
async function targetsOfHost(skipped: SkippedTarget): Promise<(program: ProgramSpec) => number | Error> {
  const { ffiAvailable } = await import("../ffi/sys/mod.ts");
  if (!ffiAvailable()) return () => 0;
  const { attachTargetId } = await import("../ffi/collection/mod.ts");
  return (program) => attachTargetId(program, skipped);
}

/** What the running kernel says of itself; `undefined` if it cannot be asked. */
async function hostFacts(): Promise<KernelFacts | undefined> {
  const { ffiAvailable } = await import("../ffi/sys/mod.ts");
  return ffiAvailable() ? (await import("../ffi/host/mod.ts")).hostFacts() : undefined;
}

/** What of the running kernel decides where variables in an arena are. */
async function hostMemory(): Promise<Pick<RelocateCollectionOptions, "missing" | "pageSize">> {
  const { ffiAvailable, pageSize, SyscallError } = await import("../ffi/sys/mod.ts");
  if (!ffiAvailable()) return {};
  const { missingKernelFeatures } = await import("../ffi/features/mod.ts");
  try {
    return { pageSize: pageSize(), missing: missingKernelFeatures() };
  } catch (error) {
    // Without the right to load anything, the kernel is taken for a new one.
    if (!(error instanceof SyscallError)) throw error;
    return { pageSize: pageSize() };
  }
}

/** The maps of jump tables, each of which is one program's. */
function printJumpTables({ jumpTables }: RelocatedProgram, output: Output): void {
  for (const { slots } of jumpTables) printMap(jumpTableMap(slots.length), 0, output);
}

/** The map with the sizes of the kernel's struct. */
function asImage(map: MapSpec, { valueType }: StructOpsImage): MapSpec {
  return { ...map, valueSize: valueType.size };
}

/** The kernel keeps 15 bytes of a name. */
function kernelName(map: MapSpec): string {
  return (map.kernelName ?? map.name).slice(0, 15);
}

/** A map as `BPF_MAP_CREATE` gets it, behind the template of the maps inside it if it has one. */
function printMap(map: MapSpec, cpus: number, output: Output, valueTypeId = 0): void {
  if (map.inner !== undefined) printMap(map.inner, cpus, output);
  const perCpu = map.type === BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY && map.maxEntries === 0;
  output.value({
    kind: "map",
    name: kernelName(map),
    type: map.type,
    key_size: map.keySize,
    value_size: map.valueSize,
    max_entries: perCpu ? cpus : map.maxEntries,
    map_flags: map.flags,
    map_extra: map.extra,
    btf_vmlinux_value_type_id: valueTypeId,
    has_inner: map.inner !== undefined,
  });
}

/** A perf event array of 0 entries gets one per possible CPU: a fact of the host, 0 where the host cannot be asked. */
async function possibleCpus(): Promise<number> {
  const { ffiAvailable, possibleCpus } = await import("../ffi/sys/mod.ts");
  return ffiAvailable() ? possibleCpus() : 0;
}

function printData(map: MapSpec, output: Output): void {
  if (map.data !== undefined) output.value({ kind: "data", map: map.name, value: map.data.toHex() });
}

function print(
  spec: CollectionSpec,
  program: ProgramSpec,
  relocated: RelocatedProgram | Error,
  attachBtfId: number,
  output: Output,
): void {
  if (relocated instanceof Error) {
    if (output.json) {
      output.value({ kind: "prog_error", name: program.name, section: program.section, error: relocated.message });
    } else {
      output.line(`${withPlace(program, relocated.message)}\n`);
    }
    return;
  }
  if (output.json) output.value(programJson(spec, program, relocated, attachBtfId));
  else printListing(program, relocated, output);
}

/** Most errors begin with the program. */
function withPlace({ name, section }: ProgramSpec, message: string): string {
  const place = `program "${name}" (section "${section}")`;
  return message.startsWith(place) ? message : `${place}: ${message}`;
}

function programJson(
  spec: CollectionSpec,
  program: ProgramSpec,
  relocated: RelocatedProgram,
  attachBtfId: number,
): Record<string, unknown> {
  return {
    kind: "prog",
    name: program.name,
    section: program.section,
    prog_type: program.type,
    expected_attach_type: relocated.structOps?.index ?? relocated.expectedAttachType,
    attach_btf_id: attachBtfId,
    prog_flags: program.flags,
    insn_cnt: slotCount(relocated.insns),
    insns: encode(bindMaps(relocated.insns, () => 0), spec.order).toHex(),
    func_info: relocated.funcInfo.toHex(),
    line_info: relocated.lineInfo.toHex(),
    map_refs: references(relocated.insns, (insn) => {
      const map = insn.get(JUMP_TABLE) === undefined ? insn.get(MAP) : JUMP_TABLE_MAP;
      return map === undefined ? undefined : { map };
    }),
    type_refs: references(relocated.insns, typeReference),
  };
}

/** The instructions for which `describe` says something, by their slot. */
function references(
  insns: readonly Instruction[],
  describe: (insn: Instruction) => Record<string, unknown> | undefined,
): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  let slot = 0;
  for (const insn of insns) {
    const description = describe(insn);
    if (description !== undefined) found.push({ insn: slot, ...description });
    slot += insn.slots;
  }
  return found;
}

/** What an immediate that is a type id names: ids differ from one BTF to the next, names do not. */
function typeReference(insn: Instruction): Record<string, unknown> | undefined {
  const relocation = insn.get(CORE_RELOCATION);
  const fixup = insn.get(CORE_FIXUP);
  if (relocation?.kind === BpfCoreReloKind.BPF_CORE_TYPE_ID_LOCAL) return { kind: "local", name: relocation.type.name };
  if (relocation?.kind !== BpfCoreReloKind.BPF_CORE_TYPE_ID_TARGET || fixup?.chosen === undefined) return undefined;
  return { kind: "target", name: fixup.chosen.type.name };
}

/** A jump table by its name; all else as in any listing. */
function reference(insn: Instruction): string | undefined {
  const table = insn.get(JUMP_TABLE);
  return table === undefined ? referenceText(insn) : `table[${table.name}]`;
}

function printListing(program: ProgramSpec, relocated: RelocatedProgram, output: Output): void {
  output.line(`program "${program.name}" (section "${program.section}")`);
  const poisoned = poisonedSlots(relocated.insns);
  for (const { kind, slot, text } of listing(relocated.insns, { reference })) {
    output.line(kind === "label" ? text : `  ${text}${kind === "instruction" ? poisonNote(poisoned.get(slot)) : ""}`);
  }
  output.line();
}

/** Slots of the instructions that CO-RE poisoned, with what is missing. */
function poisonedSlots(insns: readonly Instruction[]): Map<number, string> {
  const poisoned = new Map<number, string>();
  let slot = 0;
  for (const insn of insns) {
    const fixup = poisonedBy(insn);
    if (fixup !== undefined) poisoned.set(slot, fixup.explanation.text);
    slot += insn.slots;
  }
  return poisoned;
}

function poisonNote(text: string | undefined): string {
  return text === undefined ? "" : `  ; poisoned: ${text.replaceAll("\n", "; ")}`;
}

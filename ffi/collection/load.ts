/**
 * From a spec to maps and programs in the kernel: all of them or none.
 *
 * @module
 */
import type { CoreTarget, SkippedTarget } from "../../lib/core/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import {
  bindJumpTables,
  bindMaps,
  bindModules,
  hasCoreRelocations,
  hasStructOps,
  type KernelFacts,
  type MissingFeatures,
  relocateCollection,
  type RelocatedProgram,
} from "../../lib/linker/mod.ts";
import type { CollectionSpec, JumpTable, ProgramSpec } from "../../lib/spec/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { hostTargets } from "../btf/mod.ts";
import { missingKernelFeatures } from "../features/mod.ts";
import { hostFacts, kernelVersion } from "../host/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import { BpfProgram, type ProgramImage, type ProgramLoadOptions } from "../program/mod.ts";
import type { StructOps } from "../struct_ops/mod.ts";
import * as sys from "../sys/mod.ts";
import { attachTarget } from "./attach_target.ts";
import { loadedAttachType } from "./attach_type.ts";
import { type ChoiceOptions, Choices, type SkippedProgram } from "./choices.ts";
import { loadBtf } from "./load_btf.ts";
import { bindReadOnlyData } from "./bind_data.ts";
import { makeJumpTables } from "./make_jump_tables.ts";
import { fillContents, makeMaps, type MapOptions } from "./make_maps.ts";
import { openModules, referredModules } from "./open_modules.ts";
import { fillStructOps, openStructOpsModules, structOpsTarget } from "./make_struct_ops.ts";

/** How a collection is loaded. */
export interface LoadOptions extends MapOptions, ProgramLoadOptions, ChoiceOptions {
  /** What CO-RE relocations are resolved against; the running kernel and its modules by default. */
  readonly targets?: readonly CoreTarget[] | undefined;
  /** What externs are found in: kernel symbols, the kernel's configuration; by default the running kernel says. */
  readonly facts?: KernelFacts | undefined;
  /** Options of the kernel's configuration that win over the kernel's own: lines like `CONFIG_HZ=250`. */
  readonly kconfig?: string | undefined;
  /** Features that this kernel lacks; by default they are asked for if loading fails without knowing. */
  readonly missing?: MissingFeatures | undefined;
  /** Told of a module whose BTF cannot be read: it is skipped, as if it were not loaded. */
  readonly skippedModule?: SkippedTarget | undefined;
}

/** What was loaded, and the stack that closes it in reverse order. */
export interface Loaded {
  readonly maps: Map<string, BpfMap>;
  readonly programs: Map<string, BpfProgram>;
  readonly structOps: Map<string, StructOps>;
  /** What programs are attached to that were loaded for something, by name of program. */
  readonly attachTo: ReadonlyMap<string, string>;
  /** Programs that were left out. */
  readonly skipped: readonly SkippedProgram[];
  readonly resources: DisposableStack;
  /** Removes the pins that were made, should the rest fail. */
  readonly undo: DisposableStack;
}

/** What this kernel is known to lack: nothing, until something fails. */
let known: MissingFeatures = new Set();

/**
 * Loads a collection; what was made before a failure is closed. The kernel is taken for a new one until something fails: only
 * then it is asked what it lacks, and what it lacks is done without.
 */
export function load(spec: CollectionSpec, options: LoadOptions = {}): Loaded {
  refuseForeign(spec);
  if (options.missing !== undefined) return loadFor(spec, options, options.missing);
  // What is put where in an arena is decided before anything can fail.
  if ([...spec.maps.values()].some(({ arena }) => arena !== undefined)) {
    return loadFor(spec, options, missingKernelFeatures());
  }
  let loaded: Loaded;
  try {
    loaded = loadFor(spec, options, known);
  } catch (error) {
    const refused = error instanceof AggregateError ? error.errors.find(isRefusal) : error;
    if (!isRefusal(refused) || !learn(refused)) throw error;
    return loadFor(spec, options, known);
  }
  // Of programs that may be missing, one may be missing for what the kernel lacks.
  const refused = loaded.skipped.map(({ reason }) => reason).find(isRefusal);
  if (refused === undefined || !learn(refused)) return loaded;
  loaded.undo.dispose();
  loaded.resources.dispose();
  return loadFor(spec, options, known);
}

function isRefusal(error: unknown): error is sys.SyscallError | sys.VerifierError {
  return error instanceof sys.SyscallError || error instanceof sys.VerifierError;
}

/**
 * Asks the kernel what it lacks, and tells whether that is more than was known.
 *
 * @throws `error`, if the kernel cannot be asked: it says why.
 */
function learn(error: Error): boolean {
  const before = known.size;
  try {
    // Only arenas ask for this one, and they have asked before.
    known = new Set([...missingKernelFeatures()].filter((feature) => feature !== "direct_value_range"));
  } catch (other) {
    throw isRefusal(other) ? error : other;
  }
  return known.size > before;
}

function loadFor(spec: CollectionSpec, options: LoadOptions, missing: MissingFeatures): Loaded {
  const choices = new Choices(spec, options, "load");
  // CO-RE, struct_ops and externs read the same modules.
  let host: CoreTarget[] | undefined;
  const kernel = () => host ??= hostTargets();
  const relocated = relocateCollection(spec, {
    targets: options.targets ?? (hasCoreRelocations(spec) ? kernel() : []),
    select: (program) => program.autoload || choices.isAlternative(program.name),
    ...(hasStructOps(spec) ? { kernel: kernel() } : {}),
    facts: options.facts ?? { ...hostFacts(), types: kernel },
    kconfig: options.kconfig,
    missing,
    pageSize: sys.pageSize(),
    ...(options.skippedModule === undefined ? {} : { skipped: options.skippedModule }),
  });
  const { externs } = relocated;
  if (externs.error !== undefined) throw externs.error;
  // A program that cannot be linked fails before anything is made.
  for (const [name, program] of relocated.programs) {
    if (program instanceof Error && !choices.mayFail(spec.programs.get(name)!)) throw program;
  }
  using cleanup = new DisposableStack();
  using undo = new DisposableStack();
  const btf = relocated.btf === undefined ? undefined : cleanup.use(loadBtf(relocated.btf, options.token));
  const modules = openStructOpsModules(relocated.structOps.values(), cleanup);
  openModules([...externs.modules, ...referredModules(relocated.programs.values())], modules, cleanup);
  const types = { btf, ids: relocated.mapTypeIds, structOps: relocated.structOps, modules };
  const maps = makeMaps({ ...spec, maps: new Map(relocated.maps) }, types, options, cleanup, undo);
  const programs = new Map<string, BpfProgram>();
  const attachTo = new Map<string, string>();
  for (const [name, program] of relocated.programs) {
    const own = spec.programs.get(name)!;
    const loaded = choices.attempt(own, () => {
      if (program instanceof Error) throw program;
      using opened = new DisposableStack();
      const { name: to, ...target } = program.structOps === undefined
        ? attachTarget(own, options.attachTo?.[name], opened, { kernel, skipped: options.skippedModule })
        : { ...structOpsTarget(program.structOps, modules), name: "" };
      if (own.attachByBtf) attachTo.set(name, to);
      const image = imageOf(spec, own, program, {
        maps: maps.all,
        modules,
        calledModules: externs.modules,
        jumpTables: makeJumpTables(program.jumpTables, `program "${name}"`, opened),
        nameless: missing.has("object_names"),
        token: options.token,
      });
      const made = BpfProgram.load({ ...image, ...target }, btf, options);
      bindReadOnlyData(made, maps.all.values());
      return made;
    });
    if (loaded !== undefined) programs.set(name, cleanup.use(loaded));
  }
  choices.requireGroups(spec, (name) => programs.has(name));
  fillContents(maps, programs);
  const structOps = fillStructOps(maps, relocated.structOps, programs);
  const { skipped } = choices;
  return { maps: maps.all, programs, structOps, attachTo, skipped, resources: cleanup.move(), undo: undo.move() };
}

function refuseForeign(spec: CollectionSpec): void {
  if (spec.order === HOST_BYTE_ORDER) return;
  throw new UnsupportedError(
    "loading objects of the other byte order",
    `${spec.name}: it was built for a ${spec.order}-endian machine and this one is ${HOST_BYTE_ORDER}-endian: build it with -target ${
      HOST_BYTE_ORDER === "little" ? "bpfel" : "bpfeb"
    }`,
  );
}

/** What is in the kernel already when a program is loaded. */
interface LoadedParts {
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** BTF of modules by name. */
  readonly modules: ReadonlyMap<string, sys.Fd>;
  /** Those whose functions are called, in the order that calls refer to. */
  readonly calledModules: readonly string[];
  readonly jumpTables: ReadonlyMap<JumpTable, sys.Fd>;
  /** The kernel knows no names of programs. */
  readonly nameless: boolean;
  /** Stands for the caller's rights. */
  readonly token: number | undefined;
}

function imageOf(
  collection: CollectionSpec,
  spec: ProgramSpec,
  relocated: RelocatedProgram,
  parts: LoadedParts,
): ProgramImage {
  const { maps, modules, calledModules, jumpTables, nameless, token } = parts;
  const fdOf = (module: string) => modules.get(module)!.value;
  const withTables = bindJumpTables(relocated.insns, (table) => jumpTables.get(table)!.value);
  const withMaps = bindMaps(withTables, (name) => maps.get(name)!.fd);
  return {
    name: spec.name,
    ...(nameless ? { kernelName: "" } : {}),
    type: spec.type,
    expectedAttachType: loadedAttachType(spec, relocated.expectedAttachType, token),
    flags: spec.flags,
    license: collection.license,
    // Kernels before 5.0 compare it for kprobes.
    kernelVersion: collection.kernelVersion || kernelVersion(),
    insns: bindModules(withMaps, fdOf),
    funcInfo: relocated.funcInfo,
    lineInfo: relocated.lineInfo,
    maps,
    attachBtfId: 0,
    // Index 0 stands for the kernel itself.
    fdArray: calledModules.length === 0 ? undefined : [0, ...calledModules.map(fdOf)],
  };
}

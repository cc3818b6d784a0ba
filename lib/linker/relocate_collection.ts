/**
 * A whole collection made ready for one kernel: what `debpf relocate` prints and what the loader hands to bpf(2). Pure:
 * map fds are bound later ({@linkcode bindMaps}).
 *
 * @module
 */
import type { Instruction } from "../asm/mod.ts";
import { BtfBuilder, marshalExtInfos, type MarshalledExtInfos } from "../btf/mod.ts";
import { applyAllRelocations, type CoreTarget, type SkippedTarget } from "../core/mod.ts";
import { DebpfError, LinkError, RelocationError } from "../errors.ts";
import type { CollectionSpec, FunctionSpec, MapSpec, ProgramSpec } from "../spec/mod.ts";
import { type BpfAttachType, BpfProgType } from "../uapi/mod.ts";
import { withArenaOffsets } from "./arena_globals.ts";
import { CollectionTypes, type MapTypeIds } from "./collection_types.ts";
import { withContextArguments } from "./context_arguments.ts";
import { type KernelFacts, refuseUndefined, type ResolvedExterns, resolveExterns } from "./externs/mod.ts";
import {
  attachTypeFor,
  mapsFor,
  type MissingFeatures,
  NOTHING_MISSING,
  takesInfos,
  withHelpersOf,
} from "./kernel_features.ts";
import { jumpTablesOf, type LinkedJumpTable } from "./jump_tables.ts";
import { linkFunctions } from "./link_program.ts";
import { hasStructOps, StructOps, type StructOpsImage, type StructOpsMember } from "./struct_ops.ts";
import { poisonUncreated } from "./uncreated_maps.ts";
import { wholeInfos } from "./whole_infos.ts";

/** The page size with which arenas are measured where the caller names none. */
const DEFAULT_PAGE_SIZE = 4096;

/** How {@linkcode relocateCollection} works. */
export interface RelocateCollectionOptions {
  /** What CO-RE relocations are resolved against: the kernel first, then its modules. */
  readonly targets: readonly CoreTarget[];
  /** The kernel that will load it, then its modules: what struct_ops are fitted to; `targets` by default. */
  readonly kernel?: readonly CoreTarget[];
  /** What is known of that kernel: what externs are found in. A program that refers to what is not known is an error. */
  readonly facts?: KernelFacts | undefined;
  /** Options of the kernel's configuration that win over the kernel's own: lines like `CONFIG_HZ=250`. */
  readonly kconfig?: string | undefined;
  /** Size of a page of the kernel in bytes, which decides where in an arena variables are; 4096 by default. */
  readonly pageSize?: number | undefined;
  /** Features that the kernel lacks: what is made ready does without them; by default it lacks none. */
  readonly missing?: MissingFeatures | undefined;
  /**
   * Which programs are made ready: by default all. Is asked about programs whose `autoload` says whether they are loaded with
   * the collection, struct_ops programs by what their maps say.
   */
  readonly select?: (program: ProgramSpec) => boolean;
  /** Told of a module's BTF that cannot be read, and is skipped; perhaps several times. */
  readonly skipped?: SkippedTarget;
  /** Functions of other objects that programs may call, besides the collection's own. */
  readonly functions?: readonly FunctionSpec[];
}

/** A program that is ready but for the fds of its maps: instructions, and the infos that are made of their metadata. */
export interface RelocatedProgram extends MarshalledExtInfos {
  /** Instructions of the program and of the functions it reaches, with their metadata. */
  readonly insns: readonly Instruction[];
  /** What the kernel is told of how it will be attached; 0 where there is nothing to tell. */
  readonly expectedAttachType: BpfAttachType | 0;
  /** Its jump tables, whose maps {@linkcode bindJumpTables} gives to the instructions. */
  readonly jumpTables: readonly LinkedJumpTable[];
  /** What a struct_ops program stands for. */
  readonly structOps?: StructOpsMember;
}

/** A collection that is ready for a kernel. */
export interface RelocatedCollection {
  /** BTF to load: what programs and maps use, nothing else; `undefined` if they use none. */
  readonly btf: Uint8Array | undefined;
  /** Programs by name, or why one cannot be made ready. */
  readonly programs: ReadonlyMap<string, RelocatedProgram | Error>;
  /**
   * The maps that are created, by name, with the values of options of the kernel's configuration (which have no `data` where an
   * option is not known); struct_ops are as the object has them.
   */
  readonly maps: ReadonlyMap<string, MapSpec>;
  /** Ids in `btf` of the key and value types of maps; maps whose types the kernel takes no BTF for are left out. */
  readonly mapTypeIds: ReadonlyMap<string, MapTypeIds>;
  /** The struct_ops maps that are created, by name, as the kernel takes them; empty if one does not fit the kernel. */
  readonly structOps: ReadonlyMap<string, StructOpsImage>;
  /** What the collection's externs are. If one is not found, each program is an error that says so. */
  readonly externs: ResolvedExterns;
}

/**
 * Applies CO-RE relocations, joins programs and functions, and builds the BTF that all of them need. The collection does
 * not change, so this can be done any number of times, for any number of kernels.
 *
 * @param spec The collection.
 * @param options What to relocate against.
 * @throws {LinkError} if nothing that is linked defines an extern that is no kernel's.
 * @throws {UnsupportedError} if struct_ops do not fit the kernel, and there is no program to say so of.
 */
export function relocateCollection(spec: CollectionSpec, options: RelocateCollectionOptions): RelocatedCollection {
  const builder = new BtfBuilder({ order: spec.order });
  const types = new CollectionTypes(spec, builder);
  const structOps = hasStructOps(spec)
    ? attempt(() => new StructOps(spec, options.kernel ?? options.targets, options.skipped))
    : undefined;
  const selected = [...spec.programs.values()].map((program) => withAutoload(program, structOps))
    .filter(options.select ?? (() => true));
  if (structOps instanceof Error && selected.length === 0) throw structOps;
  refuseUndefined(spec, options.functions ?? []);
  const externs = resolveExterns(spec, {
    kernel: options.facts,
    kconfig: options.kconfig,
    functions: options.functions,
    skipped: options.skipped,
  });
  const missing = options.missing ?? NOTHING_MISSING;
  const maps = mapsFor(spec, missing, externs.data, options.pageSize ?? DEFAULT_PAGE_SIZE);
  const functions = [...spec.functions, ...options.functions ?? []];
  // Without a choice of the caller's, SEC("?...") says what is not loaded with the others.
  const together = options.select === undefined ? selected.filter((program) => program.autoload) : selected;
  const relocated = new Relocation(options, builder).all(together, functions);
  const programs = new Map<string, RelocatedProgram | Error>();
  const failure = externs.error ?? (structOps instanceof Error ? structOps : undefined);
  const context = {
    spec,
    externs,
    structOps: structOps instanceof Error ? undefined : structOps,
    missing,
    maps,
    has: options.facts?.has,
  };
  for (const program of selected) {
    programs.set(program.name, failure ?? attempt(() => finish(relocated(program), context, types, builder)));
  }
  const mapTypeIds = types.addMaps();
  types.addTags();
  if (hasStructOps(spec)) types.addAny();
  return {
    btf: builder.typeCount === 1 || missing.has("btf") ? undefined : builder.encode(),
    programs,
    maps,
    mapTypeIds,
    structOps: structOps instanceof StructOps ? structOps.maps : new Map(),
    externs,
  };
}

/** Of struct_ops programs their maps say whether they are loaded. */
function withAutoload(program: ProgramSpec, structOps: StructOps | Error | undefined): ProgramSpec {
  if (program.type !== BpfProgType.BPF_PROG_TYPE_STRUCT_OPS || !(structOps instanceof StructOps)) return program;
  const autoload = structOps.autoload(program);
  return autoload === program.autoload ? program : { ...program, autoload };
}

/** A program and the functions it may reach, relocated. */
interface Linkable {
  readonly program: ProgramSpec;
  readonly functions: readonly FunctionSpec[];
}

/** CO-RE relocation of programs and functions. */
class Relocation {
  readonly #targets: readonly CoreTarget[];
  readonly #builder: BtfBuilder;
  readonly #skipped: SkippedTarget | undefined;

  constructor(options: RelocateCollectionOptions, builder: BtfBuilder) {
    this.#targets = options.targets;
    this.#skipped = options.skipped;
    this.#builder = builder;
  }

  /**
   * All at once, as libbpf does it: relocations narrow each other's candidates. If one is broken, and for programs that are
   * not to be loaded with the others, each program is relocated for itself, with all functions: libbpf loads no program
   * of an object that has a broken function, reached or not.
   *
   * @param together Those that would be loaded together.
   */
  all(together: readonly ProgramSpec[], functions: readonly FunctionSpec[]): (program: ProgramSpec) => Linkable {
    const relocated = new Map<ProgramSpec, Linkable>();
    try {
      const [own, shared] = this.#relocate(together, functions);
      for (const [i, program] of together.entries()) relocated.set(program, { program: own[i]!, functions: shared });
    } catch (error) {
      if (!(error instanceof RelocationError)) throw error;
    }
    return (program) => relocated.get(program) ?? this.#alone(program, functions);
  }

  #alone(program: ProgramSpec, functions: readonly FunctionSpec[]): Linkable {
    try {
      const [own, shared] = this.#relocate([program], functions);
      return { program: own[0]!, functions: shared };
    } catch (error) {
      if (!(error instanceof RelocationError)) throw error;
      const place = `program "${program.name}" (section "${program.section}")`;
      throw new RelocationError(`${place}: ${error.message}`, { cause: error });
    }
  }

  #relocate(
    programs: readonly ProgramSpec[],
    functions: readonly FunctionSpec[],
  ): [ProgramSpec[], FunctionSpec[]] {
    const streams = [...programs, ...functions].map(({ instructions }) => instructions);
    const done = applyAllRelocations(streams, this.#targets, {
      resolveLocalTypeId: (type) => this.#builder.add(type),
      ...(this.#skipped === undefined ? {} : { skipped: this.#skipped }),
    });
    return [
      programs.map((program, i) => ({ ...program, instructions: done[i]! })),
      functions.map((fn, i) => ({ ...fn, instructions: done[programs.length + i]! })),
    ];
  }
}

/** What a program is made ready with. */
interface Context {
  readonly spec: CollectionSpec;
  readonly externs: ResolvedExterns;
  readonly structOps: StructOps | undefined;
  readonly missing: MissingFeatures;
  readonly has: KernelFacts["has"];
  /** The maps that are created. */
  readonly maps: ReadonlyMap<string, MapSpec>;
}

function finish(
  { program, functions }: Linkable,
  { spec, externs, structOps, missing, has, maps }: Context,
  types: CollectionTypes,
  builder: BtfBuilder,
): RelocatedProgram {
  if (program.type === BpfProgType.BPF_PROG_TYPE_UNSPEC) {
    throw new LinkError(
      `program "${program.name}" (section "${program.section}"): the section's name does not tell what type of program ` +
        'it is: use a name like SEC("tp/...") or set the type before loading',
    );
  }
  const member = structOps?.member(program.name);
  if (program.type === BpfProgType.BPF_PROG_TYPE_STRUCT_OPS && member === undefined) {
    throw new LinkError(
      `program "${program.name}" (section "${program.section}"): no struct_ops map that is created uses it: put it into a ` +
        'variable of SEC(".struct_ops")',
    );
  }
  const linked = wholeInfos(program, linkFunctions(program, functions, externs));
  const typed = withContextArguments(program, linked, missing);
  const insns = withArenaOffsets(poisonUncreated(withHelpersOf(typed, missing), spec, maps), maps);
  types.addProgram(insns);
  return {
    insns,
    jumpTables: jumpTablesOf(insns),
    expectedAttachType: attachTypeFor(program, missing, has),
    ...marshalExtInfos(takesInfos(missing) ? insns : [], builder),
    ...(member === undefined ? {} : { structOps: member }),
  };
}

function attempt<T>(make: () => T): T | Error {
  try {
    return make();
  } catch (error) {
    if (error instanceof DebpfError) return error;
    throw error;
  }
}

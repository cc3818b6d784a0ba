/**
 * A whole collection made ready for one kernel: what `debpf relocate` prints and what the loader hands to bpf(2). Pure:
 * map fds are bound later ({@linkcode bindMaps}).
 *
 * @module
 */
import type { Instruction } from "../asm/mod.ts";
import { BtfBuilder, marshalExtInfos, type MarshalledExtInfos } from "../btf/mod.ts";
import { applyAllRelocations, type CoreTarget, type SkippedTarget } from "../core/mod.ts";
import { DebpfError, LinkError, RelocationError, UnsupportedError } from "../errors.ts";
import type { CollectionSpec, FunctionSpec, ProgramSpec } from "../spec/mod.ts";
import { BpfProgType } from "../uapi/mod.ts";
import { CollectionTypes, type MapTypeIds } from "./collection_types.ts";
import { linkFunctions } from "./link_program.ts";
import { wholeInfos } from "./whole_infos.ts";

/** How {@linkcode relocateCollection} works. */
export interface RelocateCollectionOptions {
  /** What CO-RE relocations are resolved against: the kernel first, then its modules. */
  readonly targets: readonly CoreTarget[];
  /** Which programs are made ready: by default all. */
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
}

/** A collection that is ready for a kernel. */
export interface RelocatedCollection {
  /** BTF to load: what programs and maps use, nothing else; `undefined` if they use none. */
  readonly btf: Uint8Array | undefined;
  /** Programs by name, or why one cannot be made ready. */
  readonly programs: ReadonlyMap<string, RelocatedProgram | Error>;
  /** Ids in `btf` of the key and value types of maps; maps whose types the kernel takes no BTF for are left out. */
  readonly mapTypeIds: ReadonlyMap<string, MapTypeIds>;
}

/**
 * Applies CO-RE relocations, joins programs and functions, and builds the BTF that all of them need. The collection does
 * not change, so this can be done any number of times, for any number of kernels.
 *
 * @param spec The collection.
 * @param options What to relocate against.
 */
export function relocateCollection(spec: CollectionSpec, options: RelocateCollectionOptions): RelocatedCollection {
  const builder = new BtfBuilder({ order: spec.order });
  const types = new CollectionTypes(spec, builder);
  const selected = [...spec.programs.values()].filter(options.select ?? (() => true));
  const functions = [...spec.functions, ...options.functions ?? []];
  // Without a choice of the caller's, SEC("?...") says what is not loaded with the others.
  const together = options.select === undefined ? selected.filter((program) => program.autoload) : selected;
  const relocated = new Relocation(options, builder).all(together, functions);
  const programs = new Map<string, RelocatedProgram | Error>();
  for (const program of selected) {
    programs.set(program.name, attempt(() => finish(relocated(program), types, builder)));
  }
  const mapTypeIds = types.addMaps();
  types.addTags();
  return { btf: builder.typeCount === 1 ? undefined : builder.encode(), programs, mapTypeIds };
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

function finish({ program, functions }: Linkable, types: CollectionTypes, builder: BtfBuilder): RelocatedProgram {
  if (program.type === BpfProgType.BPF_PROG_TYPE_UNSPEC) {
    throw new LinkError(
      `program "${program.name}" (section "${program.section}"): the section's name does not tell what type of program ` +
        'it is: use a name like SEC("tp/...") or set the type before loading',
    );
  }
  if (program.type === BpfProgType.BPF_PROG_TYPE_STRUCT_OPS) {
    throw new UnsupportedError(
      "struct_ops",
      `program "${program.name}" (section "${program.section}"): struct_ops programs are not supported`,
    );
  }
  const insns = wholeInfos(program, linkFunctions(program, functions));
  types.addProgram(insns);
  return { insns, ...marshalExtInfos(insns, builder) };
}

function attempt<T>(make: () => T): T | Error {
  try {
    return make();
  } catch (error) {
    if (error instanceof DebpfError) return error;
    throw error;
  }
}

/**
 * A whole collection made ready for one kernel: what `debpf relocate` prints and what the loader hands to bpf(2). Pure:
 * map fds are bound later ({@linkcode bindMaps}).
 *
 * @module
 */
import type { Instruction } from "../asm/mod.ts";
import { BtfBuilder, marshalExtInfos, type MarshalledExtInfos } from "../btf/mod.ts";
import { applyAllRelocations, type CoreTarget } from "../core/mod.ts";
import { DebpfError, LinkError, RelocationError, UnsupportedError } from "../errors.ts";
import type { CollectionSpec, FunctionSpec, ProgramSpec } from "../spec/mod.ts";
import { BpfProgType } from "../uapi/mod.ts";
import { CollectionTypes, type MapTypeIds } from "./collection_types.ts";
import { Functions, layOut } from "./layout.ts";
import { linkFunctions } from "./link_program.ts";
import { wholeInfos } from "./whole_infos.ts";

/** How {@linkcode relocateCollection} works. */
export interface RelocateCollectionOptions {
  /** What CO-RE relocations are resolved against: the kernel first, then its modules. */
  readonly targets: readonly CoreTarget[];
  /** Which programs are made ready: by default all. */
  readonly select?: (program: ProgramSpec) => boolean;
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
  const relocated = new Relocation(options.targets, builder).all(selected, functions);
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

  constructor(targets: readonly CoreTarget[], builder: BtfBuilder) {
    this.#targets = targets;
    this.#builder = builder;
  }

  /**
   * All at once, as libbpf does it: relocations narrow each other's candidates. If one is broken, each program is relocated
   * for itself with what it reaches, so that only those fail that contain it.
   */
  all(
    programs: readonly ProgramSpec[],
    functions: readonly FunctionSpec[],
  ): (program: ProgramSpec) => Linkable {
    try {
      const [own, shared] = this.#relocate(programs, functions);
      const relocated = new Map(programs.map((program, i) => [program, own[i]!]));
      return (program) => ({ program: relocated.get(program)!, functions: shared });
    } catch (error) {
      if (!(error instanceof RelocationError)) throw error;
      return (program) => {
        const reached = new Set(layOut(program, new Functions(functions)).map(({ label }) => label));
        const [own, shared] = this.#relocate([program], functions.filter(({ label }) => reached.has(label)));
        return { program: own[0]!, functions: shared };
      };
    }
  }

  #relocate(
    programs: readonly ProgramSpec[],
    functions: readonly FunctionSpec[],
  ): [ProgramSpec[], FunctionSpec[]] {
    const streams = [...programs, ...functions].map(({ instructions }) => instructions);
    const done = applyAllRelocations(streams, this.#targets, {
      resolveLocalTypeId: (type) => this.#builder.add(type),
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

/**
 * From a spec to maps and programs in the kernel: all of them or none.
 *
 * @module
 */
import type { CoreTarget } from "../../lib/core/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { bindMaps, relocateCollection, type RelocatedProgram } from "../../lib/linker/mod.ts";
import type { CollectionSpec, ProgramSpec } from "../../lib/spec/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { hostTargets } from "../btf/mod.ts";
import type { BpfMap } from "../map/mod.ts";
import { BpfProgram, type ProgramLoadOptions } from "../program/mod.ts";
import type * as sys from "../sys/mod.ts";
import { attachBtfId } from "./attach_target.ts";
import { loadBtf } from "./load_btf.ts";
import { fillContents, makeMaps, type MapOptions } from "./make_maps.ts";

/** How a collection is loaded. */
export interface LoadOptions extends MapOptions, ProgramLoadOptions {
  /** What CO-RE relocations are resolved against; the running kernel and its modules by default. */
  readonly targets?: readonly CoreTarget[] | undefined;
}

/** What was loaded, and the stack that closes it in reverse order. */
export interface Loaded {
  readonly maps: Map<string, BpfMap>;
  readonly programs: Map<string, BpfProgram>;
  readonly resources: DisposableStack;
  /** Removes the pins that were made, should the rest fail. */
  readonly undo: DisposableStack;
}

/** Loads a collection; what was made before a failure is closed. */
export function load(spec: CollectionSpec, options: LoadOptions = {}): Loaded {
  refuseForeign(spec);
  const relocated = relocateCollection(spec, {
    targets: options.targets ?? targetsFor(spec),
    select: (program) => program.autoload,
  });
  // A program that cannot be linked fails before anything is made.
  for (const program of relocated.programs.values()) if (program instanceof Error) throw program;
  using cleanup = new DisposableStack();
  using undo = new DisposableStack();
  const btf = relocated.btf === undefined ? undefined : cleanup.use(loadBtf(relocated.btf, options.token));
  const maps = makeMaps(spec, { btf, ids: relocated.mapTypeIds }, options, cleanup, undo);
  const programs = new Map<string, BpfProgram>();
  for (const [name, program] of relocated.programs) {
    const loaded = loadProgram(spec, spec.programs.get(name)!, program as RelocatedProgram, maps.all, btf, options);
    programs.set(name, cleanup.use(loaded));
  }
  fillContents(maps, programs);
  return { maps: maps.all, programs, resources: cleanup.move(), undo: undo.move() };
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

/** The kernel's BTF is needed only by an object that has CO-RE relocations; without BTF there are none. */
function targetsFor(spec: CollectionSpec): CoreTarget[] {
  return spec.btf === undefined ? [] : hostTargets();
}

function loadProgram(
  collection: CollectionSpec,
  spec: ProgramSpec,
  relocated: RelocatedProgram,
  maps: ReadonlyMap<string, BpfMap>,
  btf: sys.Fd | undefined,
  options: ProgramLoadOptions,
): BpfProgram {
  return BpfProgram.load(
    {
      name: spec.name,
      type: spec.type,
      expectedAttachType: spec.expectedAttachType,
      flags: spec.flags,
      license: collection.license,
      kernelVersion: collection.kernelVersion,
      insns: bindMaps(relocated.insns, (name) => maps.get(name)!.fd),
      funcInfo: relocated.funcInfo,
      lineInfo: relocated.lineInfo,
      attachBtfId: attachBtfId(spec),
    },
    btf,
    options,
  );
}

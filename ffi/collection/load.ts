/**
 * From a spec to maps and programs in the kernel: all of them or none.
 *
 * @module
 */
import type { CoreTarget } from "../../lib/core/mod.ts";
import { UnsupportedError } from "../../lib/errors.ts";
import { bindMaps, relocateCollection, type RelocatedCollection, type RelocatedProgram } from "../../lib/linker/mod.ts";
import type { CollectionSpec, MapSpec, ProgramSpec } from "../../lib/spec/mod.ts";
import { HOST_BYTE_ORDER } from "../../lib/bytes.ts";
import { hostBtf } from "../btf/mod.ts";
import { BpfMap } from "../map/mod.ts";
import { BpfProgram } from "../program/mod.ts";
import * as sys from "../sys/mod.ts";
import { attachBtfId } from "./attach_target.ts";

/** How a collection is loaded. */
export interface LoadOptions {
  /** What CO-RE relocations are resolved against; the running kernel's BTF by default. */
  readonly targets?: readonly CoreTarget[] | undefined;
}

/** What was loaded, and the stack that closes it in reverse order. */
export interface Loaded {
  readonly maps: Map<string, BpfMap>;
  readonly programs: Map<string, BpfProgram>;
  readonly resources: DisposableStack;
}

/** Loads a collection; what was made before a failure is closed. */
export function load(spec: CollectionSpec, options: LoadOptions = {}): Loaded {
  refuseForeign(spec);
  for (const map of spec.maps.values()) refusePinning(map);
  const relocated = relocateCollection(spec, {
    targets: options.targets ?? hostTargets(spec),
    select: (program) => program.autoload,
  });
  // A program that cannot be linked fails before anything is made.
  for (const program of relocated.programs.values()) if (program instanceof Error) throw program;
  using cleanup = new DisposableStack();
  const btf = relocated.btf === undefined ? undefined : cleanup.use(sys.btfLoad({ btf: relocated.btf }));
  const maps = createMaps(spec, relocated, btf, cleanup);
  const programs = new Map<string, BpfProgram>();
  for (const [name, program] of relocated.programs) {
    const loaded = loadProgram(spec, spec.programs.get(name)!, program as RelocatedProgram, maps, btf);
    programs.set(name, cleanup.use(loaded));
  }
  for (const map of maps.values()) fillContents(map, maps, programs);
  return { maps, programs, resources: cleanup.move() };
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

function refusePinning(map: MapSpec): void {
  if (map.pinning === "none") return;
  throw new UnsupportedError(
    "pinning",
    `map "${map.name}": pinning by name is not supported; set its pinning to "none" to load it unpinned`,
  );
}

/** The kernel's BTF is needed only by an object that has CO-RE relocations; without BTF there are none. */
function hostTargets(spec: CollectionSpec): CoreTarget[] {
  return spec.btf === undefined ? [] : [{ btf: hostBtf(), name: "vmlinux" }];
}

function createMaps(
  spec: CollectionSpec,
  relocated: RelocatedCollection,
  btf: sys.Fd | undefined,
  cleanup: DisposableStack,
): Map<string, BpfMap> {
  const maps = new Map<string, BpfMap>();
  for (const map of spec.maps.values()) {
    const made = BpfMap.create(map, { btf, types: relocated.mapTypeIds.get(map.name) });
    maps.set(map.name, cleanup.use(made));
    // Before any program is verified: the verifier takes frozen values for constants.
    made.fill();
  }
  return maps;
}

function loadProgram(
  collection: CollectionSpec,
  spec: ProgramSpec,
  relocated: RelocatedProgram,
  maps: ReadonlyMap<string, BpfMap>,
  btf: sys.Fd | undefined,
): BpfProgram {
  return BpfProgram.load({
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
  }, btf);
}

function fillContents(
  map: BpfMap,
  maps: ReadonlyMap<string, BpfMap>,
  programs: ReadonlyMap<string, BpfProgram>,
): void {
  for (const { index, kind, name } of map.spec.contents) {
    const element = kind === "map" ? maps.get(name) : programs.get(name);
    // As libbpf: a program that is not loaded leaves its place in the array empty.
    if (element !== undefined) map.setFd(index, element.fd);
  }
}

/**
 * Fitting struct_ops to a kernel: its struct may have other members, in another order, than the object's. Members are
 * matched by name; the rules are libbpf 1.8's.
 *
 * @module
 */
import {
  type BtfType,
  compileCodec,
  essentialName,
  type Member,
  sizeOf,
  skipModifiersAndTypedefs,
  type StructType,
  type StructValue,
  type Value,
} from "../btf/mod.ts";
import type { ByteOrder } from "../bytes.ts";
import type { CoreTarget, SkippedTarget } from "../core/mod.ts";
import { DebpfError, LinkError, UnsupportedError } from "../errors.ts";
import type { CollectionSpec, MapSpec, ProgramSpec, StructOpsValue } from "../spec/mod.ts";
import { BpfProgType, BtfKind } from "../uapi/mod.ts";

/** What the kernel's type of a struct_ops map's value begins with: `bpf_struct_ops_tcp_congestion_ops`. */
const VALUE_PREFIX = "bpf_struct_ops_";

/** The kernel's function pointer that a program stands for. */
export interface StructOpsMember {
  /** Where its struct is: the kernel, or a module. */
  readonly target: CoreTarget;
  /** The struct: what `attach_btf_id` is for such a program. */
  readonly type: StructType;
  /** Index of the member in it: what `expected_attach_type` is for such a program. */
  readonly index: number;
}

/** A struct_ops map as a kernel takes it. */
export interface StructOpsImage {
  /** Where its type is: the kernel, or a module. */
  readonly target: CoreTarget;
  /** The struct of functions. */
  readonly type: StructType;
  /** Type of the map's value: it has the struct as a member. */
  readonly valueType: StructType;
  /** The value in the kernel's layout, without the programs. */
  readonly value: Uint8Array<ArrayBuffer>;
  /** Where the file descriptors of programs go: as pointers, at this byte offset of the value. */
  readonly programs: readonly { readonly offset: number; readonly program: string }[];
}

/** All struct_ops of a collection, fitted to a kernel. */
export class StructOps {
  /** By name of map: those that are created. */
  readonly maps: ReadonlyMap<string, StructOpsImage>;
  readonly #members: ReadonlyMap<string, StructOpsMember>;
  /** Programs that some map uses or was declared to use. */
  readonly #used: ReadonlySet<string>;

  /**
   * Fits the maps.
   *
   * @param spec The collection.
   * @param kernel The kernel first, then its modules.
   * @param skipped Told of modules whose BTF cannot be read.
   * @throws {UnsupportedError} if the kernel does not have a struct, or a member of it that is not zero.
   * @throws {LinkError} if a value contradicts itself or the kernel.
   */
  constructor(spec: CollectionSpec, kernel: readonly CoreTarget[], skipped: SkippedTarget = () => {}) {
    const maps = new Map<string, StructOpsImage>();
    const members = new Map<string, StructOpsMember>();
    const used = new Set<string>();
    for (const map of spec.maps.values()) {
      if (map.structOps === undefined) continue;
      for (const program of map.structOps.programs) used.add(program);
      if (map.autocreate === false) continue;
      maps.set(map.name, new StructOpsFitter(map, spec, { kernel, skipped, members }).fit());
    }
    this.maps = maps;
    this.#members = members;
    this.#used = used;
  }

  /** What the program is loaded for; `undefined` if no map that is created uses it. */
  member(program: string): StructOpsMember | undefined {
    return this.#members.get(program);
  }

  /**
   * Is a struct_ops program loaded with the collection: if a map that is created uses it, whatever its section name says;
   * not if only others do; else as its section name says.
   */
  autoload(program: ProgramSpec): boolean {
    if (this.#members.has(program.name)) return true;
    return !this.#used.has(program.name) && program.autoload;
  }
}

/** Does the collection have any struct_ops. */
export function hasStructOps(spec: CollectionSpec): boolean {
  return [...spec.maps.values()].some((map) => map.structOps !== undefined);
}

class StructOpsFitter {
  readonly #local: StructType;
  readonly #given: StructOpsValue;
  readonly #spec: CollectionSpec;
  readonly #kernel: readonly CoreTarget[];
  readonly #members: Map<string, StructOpsMember>;
  readonly #place: string;
  readonly #skipped: SkippedTarget;

  constructor(
    map: MapSpec,
    spec: CollectionSpec,
    { kernel, skipped, members }: {
      readonly kernel: readonly CoreTarget[];
      readonly skipped: SkippedTarget;
      readonly members: Map<string, StructOpsMember>;
    },
  ) {
    this.#local = map.structOps!.type;
    this.#given = map.structOps!.value;
    this.#spec = spec;
    this.#kernel = kernel;
    this.#skipped = skipped;
    this.#members = members;
    this.#place = `struct_ops "${map.name}"`;
  }

  fit(): StructOpsImage {
    this.#checkNames();
    const { target, type, valueType, dataOffset } = this.#findTypes();
    const value = new Uint8Array(valueType.size);
    const view = new DataView(value.buffer);
    const programs: { offset: number; program: string }[] = [];
    for (const member of this.#local.members) {
      const index = type.members.findIndex(({ name }) => name === member.name);
      const theirs = type.members[index];
      if (theirs === undefined) {
        this.#skip(member, type, target);
        continue;
      }
      this.#checkAlike(member, theirs, target);
      const offset = dataOffset + theirs.offsetBits / 8;
      if (skipModifiersAndTypedefs(member.type).kind === BtfKind.Ptr) {
        const program = this.#program(member, theirs, { target, type, index });
        if (program !== undefined) programs.push({ offset, program });
      } else {
        this.#encode(member, view, offset);
      }
    }
    return { target, type, valueType, value, programs };
  }

  /** A member that the user sets and that is not there would be forgotten without a word. */
  #checkNames(): void {
    const known = memberNames(this.#local);
    for (const name of Object.keys(this.#given)) {
      if (known.has(name)) continue;
      throw new LinkError(
        `${this.#place}: has no member "${name}"; those of struct ${this.#local.name} are ${[...known].join(", ")}`,
      );
    }
  }

  #findTypes(): { target: CoreTarget; type: StructType; valueType: StructType; dataOffset: number } {
    const name = essentialName(this.#local.name);
    const found = findOwn(this.#kernel, VALUE_PREFIX + name, this.#skipped);
    const type = found?.target.btf.find(name, BtfKind.Struct) as StructType | undefined;
    const data = found?.valueType.members.find((member) => member.type.id === type?.id);
    if (found === undefined || type === undefined || data === undefined) {
      throw new UnsupportedError(
        `struct_ops ${name}`,
        `${this.#place}: ${
          this.#kernel[0]?.name ?? "the kernel"
        } takes no programs for struct ${name}: it has no struct ` +
          `${VALUE_PREFIX}${name} (the feature is not built in, or its module is not loaded)`,
      );
    }
    return { ...found, type, dataOffset: data.offsetBits / 8 };
  }

  /** A member that the kernel does not have may be left out as long as it says nothing. */
  #skip(member: Member, type: StructType, { name }: CoreTarget): void {
    if (this.#isZero(member)) return;
    throw new UnsupportedError(
      `member "${member.name}" of struct ${type.name}`,
      `${this.#place}: member "${member.name}" is set, but struct ${type.name} of ${name} does not have it: set it to ` +
        `${skipModifiersAndTypedefs(member.type).kind === BtfKind.Ptr ? "null" : "zero"} for such kernels`,
    );
  }

  #isZero(member: Member): boolean {
    const value = this.#given[member.name];
    if (skipModifiersAndTypedefs(member.type).kind === BtfKind.Ptr) return isNull(value);
    const { size } = this.#local;
    const bytes = new Uint8Array(size);
    this.#encodeInto(member, new DataView(bytes.buffer), member.offsetBits / 8);
    return bytes.every((byte) => byte === 0);
  }

  #checkAlike(ours: Member, theirs: Member, { name }: CoreTarget): void {
    if (ours.bitfieldBits !== 0 || theirs.bitfieldBits !== 0) {
      throw new UnsupportedError(
        "bitfields in struct_ops",
        `${this.#place}: member "${ours.name}" is a bitfield, which no struct_ops may have`,
      );
    }
    const [our, their] = [skipModifiersAndTypedefs(ours.type), skipModifiersAndTypedefs(theirs.type)];
    if (our.kind !== their.kind) {
      throw new LinkError(
        `${this.#place}: member "${ours.name}" is ${kindName(our)} in the object, but ${kindName(their)} in ${name}`,
      );
    }
    const [ourSize, theirSize] = [sizeOf(our), sizeOf(their)];
    if (our.kind !== BtfKind.Ptr && ourSize !== theirSize) {
      throw new LinkError(
        `${this.#place}: member "${ours.name}" has ${ourSize} bytes in the object, but ${theirSize} in ${name}`,
      );
    }
  }

  /** Name of the program that a pointer member stands for, which is from now on loaded for it. */
  #program(ours: Member, theirs: Member, place: StructOpsMember): string | undefined {
    const value = this.#given[ours.name];
    if (isNull(value)) return undefined;
    const fail = (problem: string) => new LinkError(`${this.#place}: member "${ours.name}" ${problem}`);
    const program = typeof value === "string" ? this.#spec.programs.get(value) : undefined;
    if (program === undefined) {
      throw fail(
        typeof value === "string"
          ? `names program "${value}", which the object does not have`
          : 'is a pointer: give the name of a program of SEC("struct_ops"), or null',
      );
    }
    if (program.type !== BpfProgType.BPF_PROG_TYPE_STRUCT_OPS) {
      throw fail(`names program "${program.name}" of section "${program.section}": its section must be "struct_ops"`);
    }
    const pointer = skipModifiersAndTypedefs(theirs.type);
    if (pointer.kind !== BtfKind.Ptr || skipModifiersAndTypedefs(pointer.target).kind !== BtfKind.FuncProto) {
      throw fail(`names a program, but is no pointer to a function in ${place.target.name}`);
    }
    const before = this.#members.get(program.name);
    if (before !== undefined && (before.type !== place.type || before.index !== place.index)) {
      throw fail(
        `names program "${program.name}", which stands for member "${
          before.type.members[before.index]?.name
        }" of struct ` +
          `${before.type.name} already: the kernel verifies a program for one member`,
      );
    }
    this.#members.set(program.name, place);
    return program.name;
  }

  #encode(member: Member, view: DataView, offset: number): void {
    try {
      this.#encodeInto(member, view, offset);
    } catch (error) {
      if (error instanceof DebpfError || !(error instanceof TypeError || error instanceof RangeError)) throw error;
      throw new LinkError(`${this.#place}: ${error.message}`, { cause: error });
    }
  }

  #encodeInto(member: Member, view: DataView, offset: number): void {
    encodeMember(member, this.#given, view, offset, this.#spec.order);
  }
}

/** Writes a member that is no pointer; one that is left out is zero. */
function encodeMember(member: Member, given: StructOpsValue, view: DataView, offset: number, order: ByteOrder): void {
  const codec = compileCodec(member.type, { order });
  if (member.name !== "") {
    const value = given[member.name];
    if (!isNull(value)) codec.encode(value as Value, view, offset, member.name);
    return;
  }
  const own: StructValue = {};
  for (const name of memberNames(skipModifiersAndTypedefs(member.type))) {
    const value = given[name];
    if (!isNull(value)) own[name] = value as Value;
  }
  if (Object.keys(own).length > 0) codec.encode(own, view, offset, "anonymous member");
}

/** Names of members; those of anonymous ones belong to the struct around them. */
function memberNames(type: BtfType): Set<string> {
  const names = new Set<string>();
  if (type.kind !== BtfKind.Struct && type.kind !== BtfKind.Union) return names;
  for (const member of type.members) {
    if (member.name !== "") names.add(member.name);
    else for (const name of memberNames(skipModifiersAndTypedefs(member.type))) names.add(name);
  }
  return names;
}

/** The struct `name` of the kernel, or else of the first module that has one of its own. */
function findOwn(
  targets: readonly CoreTarget[],
  name: string,
  skipped: SkippedTarget,
): { target: CoreTarget; valueType: StructType } | undefined {
  for (const target of targets) {
    try {
      const { btf } = target;
      const id = btf.findIds(name, BtfKind.Struct).find((id) => id >= btf.ownStartId);
      if (id !== undefined) return { target, valueType: btf.type(id) as StructType };
    } catch (error) {
      // A module whose BTF cannot be read is as if it were not loaded; a kernel's is needed.
      if (!(error instanceof DebpfError) || target === targets[0]) throw error;
      skipped(target, error);
    }
  }
  return undefined;
}

/** What stands for a null pointer, or for zero. */
function isNull(value: Value | null | undefined): boolean {
  return value === null || value === undefined || value === 0n || value === 0;
}

function kindName(type: BtfType): string {
  switch (type.kind) {
    case BtfKind.Ptr:
      return "a pointer";
    case BtfKind.Int:
      return "an integer";
    case BtfKind.Array:
      return "an array";
    case BtfKind.Struct:
      return `a struct ${type.name}`;
    case BtfKind.Union:
      return `a union ${type.name}`;
    case BtfKind.Enum:
    case BtfKind.Enum64:
      return `an enum ${type.name}`;
    default:
      return `of kind ${type.kind}`;
  }
}

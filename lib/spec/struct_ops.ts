/**
 * Kernel structs of functions that programs implement (`struct_ops`): a variable in section `.struct_ops`,
 * `.struct_ops.link`, or one of these behind a `?`. Each becomes a map that holds the struct. The rules are libbpf 1.8's.
 *
 * @module
 */
import {
  type Btf,
  type BtfType,
  compileCodec,
  type Member,
  skipModifiersAndTypedefs,
  type StructType,
  type StructValue,
} from "../btf/mod.ts";
import { type ElfFile, type Relocation, type Section, sectionPlace } from "../elf/mod.ts";
import { FormatError, LinkError } from "../errors.ts";
import { BpfMapFlag, BpfMapType, BpfProgType, BtfKind } from "../uapi/mod.ts";
import { completeDatasec, findDatasec, type VariableSymbols } from "./datasec.ts";
import { STRUCT_OPS_LINK_SECTION } from "./sections.ts";
import type { MapSpec, ProgramSpec, StructOpsSpec, StructOpsValue } from "./types.ts";

/** A struct_ops map and where its value is defined. */
export interface DeclaredStructOps {
  readonly map: MapSpec;
  readonly section: Section;
  /** Offset of its variable in the section. */
  readonly offset: number;
}

/** What struct_ops maps are read with. */
export interface StructOpsContext {
  readonly elf: ElfFile;
  readonly btf: Btf | undefined;
  readonly symbols: VariableSymbols;
}

/** Is `type` a pointer to a function. */
export function isFunctionPointerType(type: BtfType): boolean {
  const pointer = skipModifiersAndTypedefs(type);
  return pointer.kind === BtfKind.Ptr && skipModifiersAndTypedefs(pointer.target).kind === BtfKind.FuncProto;
}

/** Is `type` any pointer. */
export function isPointer(type: BtfType): boolean {
  return skipModifiersAndTypedefs(type).kind === BtfKind.Ptr;
}

/**
 * The struct_ops maps of one section, in the order of BTF. Which programs they refer to is read later:
 * {@linkcode readStructOpsPrograms}.
 *
 * @throws {FormatError} if BTF does not describe the section.
 * @throws {LinkError} if a variable is no struct with a name.
 */
export function readStructOps(section: Section, { elf, btf, symbols }: StructOpsContext): DeclaredStructOps[] {
  const datasec = btf === undefined ? undefined : findDatasec(btf, section.name);
  if (datasec === undefined) {
    throw new FormatError(
      `${elf.what}: ${sectionPlace(section)} holds struct_ops, but no BTF describes them: compile with clang -g`,
    );
  }
  const bytes = section.bytes();
  return completeDatasec(datasec, section, symbols, elf.what).entries.map(({ type: variable, offset }) => {
    const type = variable.kind === BtfKind.Var ? skipModifiersAndTypedefs(variable.target) : variable;
    if (type.kind !== BtfKind.Struct || type.name === "") {
      throw new LinkError(
        `${elf.what}: struct_ops "${variable.name}" is no variable of a struct with a name: the name says which kernel ` +
          "struct is meant",
      );
    }
    if (offset + type.size > bytes.length) {
      throw new FormatError(
        `${elf.what}: struct_ops "${variable.name}": its struct of ${type.size} bytes at offset ${offset} lies outside ` +
          `${sectionPlace(section)} (${bytes.length} bytes)`,
      );
    }
    const map = structOpsMap(variable.name, section.name, {
      type,
      value: initialValue(type, bytes.subarray(offset, offset + type.size), elf.order),
      programs: [],
    });
    return { map, section, offset };
  });
}

function structOpsMap(name: string, section: string, structOps: StructOpsSpec): MapSpec {
  const optional = section.startsWith("?");
  const own = optional ? section.slice(1) : section;
  return {
    name,
    type: BpfMapType.BPF_MAP_TYPE_STRUCT_OPS,
    keySize: 4,
    valueSize: structOps.type.size,
    maxEntries: 1,
    flags: own === STRUCT_OPS_LINK_SECTION ? BpfMapFlag.BPF_F_LINK : 0,
    extra: 0n,
    pinning: "none",
    value: structOps.type,
    readOnly: false,
    section: own,
    contents: [],
    tags: [],
    structOps,
    ...(optional ? { autocreate: false } : {}),
  };
}

/** All members of the struct; programs are filled in later. */
function initialValue(type: StructType, bytes: Uint8Array, order: ElfFile["order"]): StructOpsValue {
  const value: StructOpsValue = { ...compileCodec(type, { order }).decodeBytes(bytes) as StructValue };
  for (const member of type.members) {
    // A pointer that is no null pointer has a relocation, or cannot mean anything in the kernel.
    if (member.name !== "" && isPointer(member.type) && value[member.name] === 0n) value[member.name] = null;
  }
  return value;
}

/**
 * Fills in the programs that the relocations of a section put into its struct_ops maps.
 *
 * @param programAt The program that starts at a byte offset of a section.
 * @throws {LinkError} for a relocation that is in no map, not of a function pointer, or does not refer to a struct_ops
 * program.
 */
export function readStructOpsPrograms(
  section: Section,
  maps: readonly DeclaredStructOps[],
  elf: ElfFile,
  programAt: (section: Section, offset: number) => ProgramSpec | undefined,
): void {
  for (const relocation of elf.relocations(section)) {
    const home = maps.find((other) => {
      const at = relocation.offset - other.offset;
      return other.section === section && at >= 0 && at < other.map.valueSize;
    });
    if (home === undefined) {
      throw new LinkError(
        `${elf.what}: ${sectionPlace(section)}: relocation at offset ${relocation.offset} (symbol ` +
          `"${relocation.symbol.name}") is inside of no struct_ops variable`,
      );
    }
    const { map: { name, structOps }, offset } = home;
    const member = structOps!.type.members.find(({ offsetBits }) => offsetBits === (relocation.offset - offset) * 8);
    const place = `${elf.what}: struct_ops "${name}"`;
    if (member === undefined || !isFunctionPointerType(member.type)) {
      const what = member === undefined ? `offset ${relocation.offset - offset}` : `member "${member.name}"`;
      throw new LinkError(
        `${place}: ${what} is initialized with "${relocation.symbol.name}", but is no pointer to a function`,
      );
    }
    const program = readProgram(member, relocation, place, programAt);
    structOps!.value[member.name] = program;
    structOps!.programs.push(program);
  }
}

function readProgram(
  member: Member,
  { symbol }: Relocation,
  place: string,
  programAt: (section: Section, offset: number) => ProgramSpec | undefined,
): string {
  const program = symbol.section === undefined ? undefined : programAt(symbol.section, symbol.value);
  if (program?.type === BpfProgType.BPF_PROG_TYPE_STRUCT_OPS) return program.name;
  const problem = program === undefined
    ? "which is not a program of this object"
    : `which is a program of section "${program.section}"`;
  throw new LinkError(
    `${place}: member "${member.name}" refers to "${symbol.name}", ${problem}: SEC("struct_ops/...")`,
  );
}

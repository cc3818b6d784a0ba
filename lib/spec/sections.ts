/**
 * What the sections of an object are for: which hold programs, global data, map definitions. The rules are libbpf 1.8's.
 *
 * @module
 */
import { decodeText } from "../bytes.ts";
import { type ElfFile, type Section, sectionPlace, SHF, SHT } from "../elf/mod.ts";
import { FormatError, UnsupportedError } from "../errors.ts";

/** The section of the functions that programs call. */
export const TEXT_SECTION = ".text";
/** The section of map definitions in BTF. */
export const MAPS_SECTION = ".maps";
/** The section of variables in an arena. */
export const ARENA_SECTION = ".addr_space.1";
/** The section of clang's jump tables. */
export const JUMP_TABLE_SECTION = ".jumptables";

/** The section of struct_ops that are registered by an update of their map. */
export const STRUCT_OPS_SECTION = ".struct_ops";
/** The section of struct_ops that are registered by a link (6.4). */
export const STRUCT_OPS_LINK_SECTION = ".struct_ops.link";

/** Longest license that the kernel compares (`license[128]` in `bpf_prog_load()`). */
const MAX_LICENSE_BYTES = 127;

/** What a section of global variables is like for programs. */
export type DataKind = "data" | "rodata" | "bss";

/** A section of global variables. */
export interface DataSection {
  readonly kind: DataKind;
  readonly section: Section;
}

/** The sections of an object, by purpose. */
export interface ObjectSections {
  /** Sections of instructions, in the order of the file; `.text` is one of them if it is not empty. */
  readonly code: readonly Section[];
  /** Sections of global variables, in the order of the file. */
  readonly data: readonly DataSection[];
  readonly maps: Section | undefined;
  /** Variables in the arena. */
  readonly arena: Section | undefined;
  readonly jumpTables: Section | undefined;
  /** Sections of struct_ops, in the order of the file. */
  readonly structOps: readonly Section[];
  readonly btf: Section | undefined;
  readonly btfExt: Section | undefined;
  readonly license: string;
  readonly kernelVersion: number;
}

/** Which data sections begin with `name` itself or `name` and a dot. */
const DATA_SECTIONS: readonly { readonly name: string; readonly type: number; readonly kind: DataKind }[] = [
  { name: ".data", type: SHT.PROGBITS, kind: "data" },
  { name: ".rodata", type: SHT.PROGBITS, kind: "rodata" },
  { name: ".bss", type: SHT.NOBITS, kind: "bss" },
];

/** What `section` is as a section of global variables; `undefined` if it is none. */
export function dataKind(section: Section): DataKind | undefined {
  for (const { name, type, kind } of DATA_SECTIONS) {
    if (section.type === type && (section.name === name || section.name.startsWith(`${name}.`))) return kind;
  }
  return undefined;
}

/**
 * Sorts the sections of `elf` by purpose.
 *
 * @throws {UnsupportedError} for map definitions of before libbpf 1.0.
 * @throws {FormatError} for a `version` section that is not 4 bytes.
 */
export function sortSections(elf: ElfFile): ObjectSections {
  if (elf.section("maps") !== undefined) {
    throw new UnsupportedError(
      'legacy "maps" section',
      `${elf.what}: section "maps" holds legacy map definitions (struct bpf_map_def): declare each map in SEC(".maps") ` +
        "as a struct with __uint(type, ...), __uint(max_entries, ...), __type(key, ...) and __type(value, ...)",
    );
  }
  const code: Section[] = [];
  const data: DataSection[] = [];
  const structOps: Section[] = [];
  for (const section of elf.sections) {
    if (section.size === 0) continue;
    if (section.type === SHT.PROGBITS && (section.flags & SHF.EXECINSTR) !== 0) {
      code.push(section);
      continue;
    }
    const kind = dataKind(section);
    if (kind !== undefined) data.push({ kind, section });
    else if (isStructOps(section)) structOps.push(section);
  }
  return {
    code,
    data,
    maps: elf.section(MAPS_SECTION),
    arena: dataSection(elf, ARENA_SECTION),
    jumpTables: dataSection(elf, JUMP_TABLE_SECTION),
    structOps,
    btf: nonEmpty(elf.section(".BTF")),
    btfExt: nonEmpty(elf.section(".BTF.ext")),
    license: readLicense(elf.section("license")),
    kernelVersion: readVersion(elf),
  };
}

function dataSection(elf: ElfFile, name: string): Section | undefined {
  const section = nonEmpty(elf.section(name));
  return section?.type === SHT.PROGBITS ? section : undefined;
}

/** Does it hold struct_ops. */
export function isStructOps({ name, type }: Section): boolean {
  const own = name.startsWith("?") ? name.slice(1) : name;
  return type === SHT.PROGBITS && (own === STRUCT_OPS_SECTION || own === STRUCT_OPS_LINK_SECTION);
}

function nonEmpty(section: Section | undefined): Section | undefined {
  return section !== undefined && section.size > 0 ? section : undefined;
}

function readLicense(section: Section | undefined): string {
  if (section === undefined) return "";
  const bytes = section.bytes();
  const nul = bytes.indexOf(0);
  return decodeText(bytes, 0, Math.min(nul < 0 ? bytes.length : nul, MAX_LICENSE_BYTES));
}

function readVersion(elf: ElfFile): number {
  const section = elf.section("version");
  if (section === undefined) return 0;
  const bytes = section.bytes();
  if (bytes.length !== 4) {
    throw new FormatError(
      `${elf.what}: ${sectionPlace(section)} has ${bytes.length} bytes: a kernel version has 4 (__u32)`,
    );
  }
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, elf.order === "little");
}

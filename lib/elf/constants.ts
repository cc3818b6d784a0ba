/**
 * Constants of ELF (System V gABI; elf.h of glibc 2.36) and of its BPF supplement (LLVM's BPFRelocs, kernel's
 * Documentation/bpf/llvm_reloc.rst), with the names that those give them.
 *
 * @module
 */

/** Type of file: `e_type`. */
export const ET = { NONE: 0, REL: 1, EXEC: 2, DYN: 3, CORE: 4 } as const;

/** Machines of `e_machine` that are named in messages or read. */
export const EM = {
  NONE: 0,
  I386: 3,
  MIPS: 8,
  PPC: 20,
  PPC64: 21,
  S390: 22,
  ARM: 40,
  SPARCV9: 43,
  X86_64: 62,
  AARCH64: 183,
  RISCV: 243,
  BPF: 247,
  LOONGARCH: 258,
} as const;

/** Type of a section: `sh_type`. */
export const SHT = {
  NULL: 0,
  PROGBITS: 1,
  SYMTAB: 2,
  STRTAB: 3,
  RELA: 4,
  HASH: 5,
  DYNAMIC: 6,
  NOTE: 7,
  NOBITS: 8,
  REL: 9,
  SHLIB: 10,
  DYNSYM: 11,
  INIT_ARRAY: 14,
  FINI_ARRAY: 15,
  PREINIT_ARRAY: 16,
  GROUP: 17,
  SYMTAB_SHNDX: 18,
  LLVM_ADDRSIG: 0x6fff4c03,
  GNU_VERDEF: 0x6ffffffd,
  GNU_VERSYM: 0x6fffffff,
} as const;

/** Flags of a section: `sh_flags`. */
export const SHF = {
  WRITE: 0x1,
  ALLOC: 0x2,
  EXECINSTR: 0x4,
  MERGE: 0x10,
  STRINGS: 0x20,
  INFO_LINK: 0x40,
  LINK_ORDER: 0x80,
  GROUP: 0x200,
  TLS: 0x400,
  COMPRESSED: 0x800,
  EXCLUDE: 0x80000000,
} as const;

/** Section indices that are no sections: `st_shndx` and `e_shstrndx`. */
export const SHN = {
  UNDEF: 0,
  LORESERVE: 0xff00,
  ABS: 0xfff1,
  COMMON: 0xfff2,
  XINDEX: 0xffff,
} as const;

/** Type of a symbol: low half of `st_info`. */
export const STT = {
  NOTYPE: 0,
  OBJECT: 1,
  FUNC: 2,
  SECTION: 3,
  FILE: 4,
  COMMON: 5,
  TLS: 6,
  GNU_IFUNC: 10,
} as const;

/** Binding of a symbol: high half of `st_info`. */
export const STB = { LOCAL: 0, GLOBAL: 1, WEAK: 2, GNU_UNIQUE: 10 } as const;

/** Visibility of a symbol: low two bits of `st_other`. */
export const STV = {
  DEFAULT: 0,
  INTERNAL: 1,
  HIDDEN: 2,
  PROTECTED: 3,
} as const;

/** Name of the section that holds types. */
export const BTF_SECTION = ".BTF";

/** Name of the section that holds what is known of instructions: functions, lines, CO-RE relocations. */
export const BTF_EXT_SECTION = ".BTF.ext";

/** Relocation types of BPF objects: what of the place at `r_offset` is filled in. */
export const RBPF = {
  /** Nothing. */
  NONE: 0,
  /** `R_BPF_64_64`: both immediates of a 64-bit load. */
  R64_64: 1,
  /** `R_BPF_64_ABS64`: 64 bits of data. */
  R64_ABS64: 2,
  /** `R_BPF_64_ABS32`: 32 bits of data. */
  R64_ABS32: 3,
  /** `R_BPF_64_NODYLD32`: 32 bits of data in `.BTF`, `.BTF.ext`; not applied by loaders. */
  R64_NODYLD32: 4,
  /** `R_BPF_64_32`: the immediate of a call. */
  R64_32: 10,
} as const;

const MACHINE_NAMES: ReadonlyMap<number, string> = new Map([
  [EM.I386, "i386"],
  [EM.MIPS, "MIPS"],
  [EM.PPC, "PowerPC"],
  [EM.PPC64, "PowerPC 64"],
  [EM.S390, "s390x"],
  [EM.ARM, "ARM"],
  [EM.SPARCV9, "SPARC V9"],
  [EM.X86_64, "x86-64"],
  [EM.AARCH64, "AArch64"],
  [EM.RISCV, "RISC-V"],
  [EM.BPF, "BPF"],
  [EM.LOONGARCH, "LoongArch"],
]);

/** What people call the machine `e_machine`; `machine N` for one that is not known here. */
export function machineName(machine: number): string {
  return MACHINE_NAMES.get(machine) ?? `machine ${machine}`;
}

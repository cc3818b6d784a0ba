/**
 * Reading ELF64 files: header, sections, symbols, relocations. Every offset, count and link is checked before it is used.
 *
 * @module
 */
export type { ByteOrder } from "../bytes.ts";
export { BTF_EXT_SECTION, BTF_SECTION, EM, ET, machineName, RBPF, SHF, SHN, SHT, STB, STT, STV } from "./constants.ts";
export { ElfFile } from "./elf_file.ts";
export { type DebugLink, Executable } from "./executable.ts";
export { type FunctionSymbol, FunctionTable } from "./function_table.ts";
export { assertBpfObject, isElf } from "./identify.ts";
export { instructionStart } from "./instruction_start.ts";
export { type Note, readNotes } from "./notes.ts";
export type { Relocation } from "./relocation.ts";
export { type Section, sectionPlace } from "./section.ts";
export type { Segment } from "./segment.ts";
export type { ElfSymbol, SymbolBinding } from "./symbol.ts";
export { type NewElf, type NewRelocation, type NewSection, type NewSymbol, writeElf } from "./write_elf.ts";
export { SymbolVersions } from "./symbol_versions.ts";

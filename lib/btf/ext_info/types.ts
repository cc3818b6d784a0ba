/**
 * What `.BTF.ext` says about instructions, and the metadata keys under which instructions carry it.
 *
 * @module
 */
import { MetadataKey, type SourceLine } from "../../asm/mod.ts";
import type { BpfCoreReloKind } from "../../uapi/mod.ts";
import type { Btf } from "../btf.ts";
import type { BtfType, FuncType } from "../types.ts";

/** The function that starts at an instruction. */
export interface FuncInfo {
  /** Slot of the instruction, from the start of its section or program. */
  readonly insnIndex: number;
  /** The function. */
  readonly func: FuncType;
}

/** The source line that starts at an instruction. */
export interface LineInfo extends SourceLine {
  /** Slot of the instruction, from the start of its section or program. */
  readonly insnIndex: number;
}

/** What an instruction wants to know of a type in the target kernel. */
export interface CoreRelocation {
  /** What it wants to know. */
  readonly kind: BpfCoreReloKind;
  /** The local type that {@linkcode CoreRelocation.accessor} starts at. */
  readonly type: BtfType;
  /** Indices separated by colons, as clang writes them: `"0:1:2"`. */
  readonly accessor: string;
  /** The BTF that {@linkcode CoreRelocation.type} is of. */
  readonly btf: Btf;
  /** Position among all CO-RE relocations of the object. */
  readonly index: number;
}

/** A CO-RE relocation and where it applies. */
export interface CoreRelocationInfo {
  /** Slot of the instruction, from the start of its section. */
  readonly insnIndex: number;
  /** The relocation. */
  readonly relocation: CoreRelocation;
}

/** What `.BTF.ext` says about one ELF section, in the order in which it says it. */
export interface SectionExtInfos {
  /** Functions that start in the section. */
  readonly funcs: readonly FuncInfo[];
  /** Source lines that start in the section. */
  readonly lines: readonly LineInfo[];
  /** CO-RE relocations of the section's instructions. */
  readonly relocations: readonly CoreRelocationInfo[];
}

/** The function that starts at this instruction. */
export const FUNC_INFO: MetadataKey<FuncType> = new MetadataKey("func info");

/** The CO-RE relocation of this instruction. */
export const CORE_RELOCATION: MetadataKey<CoreRelocation> = new MetadataKey("CO-RE relocation");

/**
 * The metadata that only an object file gives to an instruction.
 *
 * @module
 */
import { type Label, MetadataKey } from "../../asm/mod.ts";
import type { DeclTagType } from "../../btf/mod.ts";
import type { ExternSpec } from "../types.ts";

/** The extern whose value or address a 64-bit load takes, or that a call calls. */
export const EXTERN: MetadataKey<ExternSpec> = new MetadataKey("extern");

/**
 * The declaration tags of the function that starts at this instruction, parameters' included: the kernel's verifier
 * reads them (`arg:ctx`), so does the linker (`exception_callback:NAME`).
 */
export const FUNC_TAGS: MetadataKey<readonly DeclTagType[]> = new MetadataKey("function tags");

/** Where a `gotox` may go: an array of places in one function, which the kernel has as a map of instructions (6.19). */
export interface JumpTable {
  /** Name of its symbol: `"BPF.JT.0.0"`. */
  readonly name: string;
  /** The places, in the order of the table; one may be there several times. */
  readonly targets: readonly Label[];
}

/** The jump table whose address a 64-bit load takes; the instructions that it names have their labels. */
export const JUMP_TABLE: MetadataKey<JumpTable> = new MetadataKey("jump table");

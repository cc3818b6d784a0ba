/**
 * The metadata that only an object file gives to an instruction.
 *
 * @module
 */
import { MetadataKey } from "../asm/mod.ts";
import type { DeclTagType } from "../btf/mod.ts";
import type { ExternSpec } from "./types.ts";

/** The extern whose value or address a 64-bit load takes, or that a call calls. */
export const EXTERN: MetadataKey<ExternSpec> = new MetadataKey("extern");

/**
 * The declaration tags of the function that starts at this instruction, parameters' included: the kernel's verifier
 * reads them (`arg:ctx`), so does the linker (`exception_callback:NAME`).
 */
export const FUNC_TAGS: MetadataKey<readonly DeclTagType[]> = new MetadataKey("function tags");

/** A place in the object that only a feature can reach that this library does not have. */
export interface UnsupportedReference {
  /** The feature, in the field's terms: `"arena globals"`. */
  readonly feature: string;
  /** The symbol that is referred to. */
  readonly symbol: string;
  /** Its section. */
  readonly section: string;
}

/** What a 64-bit load refers to, where that cannot be linked. */
export const UNSUPPORTED_REFERENCE: MetadataKey<UnsupportedReference> = new MetadataKey("unsupported reference");

/**
 * Instructions with metadata: decoding, encoding, printing, assembling, and what refers to what.
 *
 * @module
 */
export type { ByteOrder } from "../bytes.ts";
export { BpfAluOp, BpfAtomicOp, BpfClass, BpfJmpOp, BpfMode, BpfPseudo, BpfSize, BpfSource } from "../uapi/mod.ts";
/** Builders of instructions. */
export { decode, type DecodeOptions } from "./decode.ts";
export { encode } from "./encode.ts";
export { format, type FormatOptions, referenceText } from "./format.ts";
export * from "./instruction.ts";
export { type InstructionFeature, instructionFeature } from "./instruction_features.ts";
export * from "./keys.ts";
export { listing, type ListingLine, type ListingOptions, sourceText } from "./listing.ts";
export * from "./metadata.ts";
export * from "./opcode.ts";
export * from "./predicates.ts";
export { programTag, type TagHash } from "./program_tag.ts";
export { copyWithOwnLabels, referenceJumps, type ResolveOptions, resolveReferences } from "./references.ts";
export { type XlatedNames, xlatedReference } from "./xlated.ts";

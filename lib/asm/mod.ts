/**
 * Instructions with metadata: decoding, encoding, printing.
 *
 * @module
 */
export type { ByteOrder } from "../bytes.ts";
export { decode, type DecodeOptions } from "./decode.ts";
export { encode } from "./encode.ts";
export { format, type FormatOptions, referenceText } from "./format.ts";
export * from "./instruction.ts";
export * from "./keys.ts";
export { listing, type ListingLine, type ListingOptions, sourceText } from "./listing.ts";
export * from "./metadata.ts";
export * from "./opcode.ts";
export * from "./predicates.ts";

/**
 * The metadata that instructions have in any program: symbols, references between them, source lines.
 *
 * @module
 */
import { MetadataKey } from "./metadata.ts";

/** How far a label is seen: `local` in its own object, `weak` may be overridden by a `global` of the same name. */
export type LabelBinding = "local" | "global" | "weak";

/**
 * A name for a place in an instruction stream. References hold the label itself: identity, not the name, tells two
 * static functions of one name apart.
 */
export class Label {
  /** The symbol's name; static ones need not be unique. */
  readonly name: string;
  /** How far it is seen. */
  readonly binding: LabelBinding;

  /**
   * A place of its own, equal to no other of the same name.
   *
   * @param name The symbol's name.
   * @param binding How far it is seen.
   */
  constructor(name: string, binding: LabelBinding = "local") {
    this.name = name;
    this.binding = binding;
  }
}

/** Is it a place inside of a function: as assemblers have it, `.L` begins the names of those. */
export function isInnerLabel(label: Label): boolean {
  return label.name.startsWith(".L");
}

/** A line of source code: what line_info says of an instruction. */
export interface SourceLine {
  /** File as the compiler was given it. */
  readonly file: string;
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1; 0 if it is not known. */
  readonly column: number;
  /** The line's text, without its indentation; may be empty. */
  readonly text: string;
}

/** The label of the place that this instruction is: a function's first instruction, a jump target. */
export const LABEL: MetadataKey<Label> = new MetadataKey("label");

/** The label that a call, a function pointer load or a jump refers to. */
export const REFERENCE: MetadataKey<Label> = new MetadataKey("reference");

/** The source line that starts at this instruction. */
export const SOURCE: MetadataKey<SourceLine> = new MetadataKey("source");

/** The map (by its name in the collection) whose fd or value address a 64-bit load takes. */
export const MAP: MetadataKey<string> = new MetadataKey("map");

/**
 * Whole programs as text: slot numbers, labels, and the lines of source that instructions come from.
 *
 * The shape is bpftool's (`prog dump xlated`), source lines are the verifier's (`; int x = 1; @ file.c:12`, Linux 6.9).
 *
 * @module
 */
import type { ByteOrder } from "../bytes.ts";
import { encode } from "./encode.ts";
import { format, type FormatOptions, referenceText } from "./format.ts";
import type { Instruction } from "./instruction.ts";
import { LABEL, SOURCE, type SourceLine } from "./keys.ts";
import { rawText } from "./raw_text.ts";

/** Options of {@linkcode listing}; `reference` is {@linkcode referenceText} by default. */
export interface ListingOptions extends FormatOptions {
  /** Whether source lines stand before the instructions that they became; default true. */
  source?: boolean;
  /** Whether a line of the instruction's bytes, in this byte order, follows each instruction. */
  opcodes?: ByteOrder;
  /** Slot number of the first instruction; default 0. */
  firstSlot?: number;
}

/** A line of a listing. */
export interface ListingLine {
  /** What stands on it. */
  kind: "label" | "source" | "instruction" | "opcodes";
  /** Slot of the instruction that it is about. */
  slot: number;
  /** The whole line, without a line break. */
  text: string;
}

/**
 * The lines of a program's listing. A label is `name:`, a source line `; text @ file:line`, an instruction
 * `   0: (b7) r0 = 0`.
 */
export function* listing(insns: Iterable<Instruction>, options: ListingOptions = {}): Generator<ListingLine, void> {
  const formatOptions = { ...options, reference: options.reference ?? referenceText };
  let slot = options.firstSlot ?? 0;
  let shown: SourceLine | undefined;
  for (const insn of insns) {
    const label = insn.get(LABEL);
    if (label !== undefined) yield { kind: "label", slot, text: `${label.name}:` };
    const source = (options.source ?? true) ? insn.get(SOURCE) : undefined;
    if (source !== undefined && !(shown !== undefined && sameLine(shown, source))) {
      shown = source;
      yield { kind: "source", slot, text: sourceText(source) };
    }
    yield { kind: "instruction", slot, text: `${String(slot).padStart(4)}: ${instructionText(insn, formatOptions)}` };
    if (options.opcodes !== undefined) {
      yield { kind: "opcodes", slot, text: `       ${hexBytes(encode([insn], options.opcodes))}` };
    }
    slot += insn.slots;
  }
}

/** What the kernel would call a bug is shown by its bytes: a lenient reader shall see them. */
function instructionText(insn: Instruction, options: FormatOptions): string {
  const text = format(insn, options);
  return text.startsWith("BUG_") ? rawText(insn) : text;
}

/** A source line as the verifier prints it: its text, the file without its directories, the line. */
export function sourceText(source: SourceLine): string {
  const file = source.file.slice(source.file.lastIndexOf("/") + 1);
  return `; ${source.text.trimStart()} @ ${file}:${source.line}`;
}

/** The columns of one line are the verifier's business, not the reader's. */
function sameLine(a: SourceLine, b: SourceLine): boolean {
  return a === b || (a.line === b.line && a.file === b.file && a.text === b.text);
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
